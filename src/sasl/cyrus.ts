/**
 * Logins as Cyrus SASL does them with `pwcheck_method: saslauthd`: PLAIN and LOGIN, whose passwords saslauthd(8) judges.
 * SASL_README
 */
import type { CyrusConfig } from './cyrus-config.ts';
import type { Exchange, LoginServer, Mechanism, Offer, SaslRequest, SaslStep, SaslWords } from './login-server.ts';
import { type Claim, type Listener, loginListener, plainListener } from './plain-exchanges.ts';
import { checkPassword } from './saslauthd.ts';

const defaultSocket = '/var/run/saslauthd/mux';
const prefix = 'SASL authentication failure: ';

/** Both give the password away. */
const listeners: ReadonlyMap<string, () => Listener> = new Map([
  ['PLAIN', plainListener],
  ['LOGIN', loginListener],
]);

const words: SaslWords = {
  // what the client says with it is read first
  badMechanism: (name, initialResponse = '') => {
    const bytes = fromBase64(initialResponse);
    return Buffer.isBuffer(bytes)
      ? refused({ reason: 'no mechanism available', warnings: [`Couldn't find mech ${name}`] })
      : refused({ reason: bytes });
  },
  noneLeft: {
    warnings: ['xsasl_cyrus_server_get_mechanism_list: no applicable SASL mechanisms'],
    fatal: 'no SASL authentication mechanisms',
  },
  badOption: (option, all) => ({
    warnings: [
      `unknown SASL security options value "${option}" in "${all.join(' ')}"`,
      'bad per-session SASL security properties',
    ],
    fatal: 'SASL per-connection initialization failed',
  }),
};

interface Refusal {
  readonly reason: string;
  readonly isTemporary?: boolean;
  readonly user?: string;
  readonly warnings?: readonly string[];
}

function refused({
  reason,
  isTemporary = false,
  user,
  warnings = [],
}: Refusal): Extract<SaslStep, { kind: 'refused' }> {
  return {
    kind: 'refused',
    reason,
    isTemporary,
    verdict: { user },
    warnings: warnings.map((text) => prefix + text),
  };
}

/** What a file asks for that is not there; undefined: nothing. */
export function cyrusProblem({ path, values }: CyrusConfig): string | undefined {
  const methods = (values.get('pwcheck_method') ?? 'auxprop').split(/\s+/);
  const other = methods.find((method) => method.toLowerCase() !== 'saslauthd');
  const where = path === '' ? 'the default, as there is no such file as smtpd.conf' : `in ${path}`;
  return other === undefined ? undefined : `pwcheck_method: ${other} (${where})`;
}

export class CyrusServer implements LoginServer {
  readonly words = words;
  readonly #config: CyrusConfig;
  readonly #domain: string;

  /** `domain`: belongs to users that have none. smtpd_sasl_local_domain */
  constructor(config: CyrusConfig, domain: string) {
    this.#config = config;
    this.#domain = domain;
  }

  offer(): Promise<Offer> {
    const { isBroken, values } = this.#config;
    if (isBroken) {
      const fatal = 'SASL per-process initialization failed';
      return Promise.resolve({
        kind: 'unreachable',
        warnings: [`${fatal}: error when parsing configuration file`],
        fatal,
      });
    }
    const wanted = values.get('mech_list')?.toUpperCase().split(/\s+/);
    const mechanisms = [...listeners.keys()]
      .filter((name) => wanted?.includes(name) !== false)
      .map((name): Mechanism => ({ name, traits: new Set(['noanonymous']) }));
    return Promise.resolve({ kind: 'mechanisms', mechanisms });
  }

  open({ mechanism, service, initialResponse }: SaslRequest): Exchange {
    const listen = (listeners.get(mechanism.toUpperCase()) ?? plainListener)();
    const take = async (response: string | undefined): Promise<SaslStep> => {
      const bytes = response === undefined ? undefined : fromBase64(response);
      if (typeof bytes === 'string') return refused({ reason: bytes });
      const heard = listen(bytes);
      switch (heard.kind) {
        case 'challenge':
          return { kind: 'challenge', text: Buffer.from(heard.text).toString('base64') };
        case 'nonsense':
          return refused({ reason: 'bad protocol / cancel', warnings: [heard.warning] });
        case 'claim':
          return this.#judge(heard.claim, service, mechanism.toUpperCase() === 'PLAIN');
      }
    };
    return { start: () => take(initialResponse), answer: take, abandon: () => undefined };
  }

  async #judge({ user, password, onBehalfOf }: Claim, service: string, tellsOfPassword: boolean): Promise<SaslStep> {
    const name = this.#canonical(user);
    if (name === '') {
      return refused({ reason: 'generic failure', isTemporary: true, warnings: ['All-whitespace username.'] });
    }
    const at = name.lastIndexOf('@');
    const [local, realm] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
    const path = this.#config.values.get('saslauthd_path') ?? defaultSocket;
    const check = await checkPassword(path, { user: local, password, service, realm });
    const afterthought = tellsOfPassword ? ['Password verification failed'] : [];
    if (check.kind === 'trouble') {
      const warnings = [check.trouble, ...afterthought];
      return refused({ reason: 'generic failure', isTemporary: true, user: name, warnings });
    }
    const failure = { reason: 'authentication failure', user: name };
    if (check.kind === 'wrong') return refused({ ...failure, warnings: afterthought });
    const asked = onBehalfOf === '' ? name : this.#canonical(onBehalfOf);
    if (asked === name) return { kind: 'authenticated', user: name };
    return refused({ ...failure, user: asked, warnings: ['Requested identity not authenticated identity'] });
  }

  #canonical(user: string): string {
    const name = user.trim();
    return name === '' || name.includes('@') || this.#domain === '' ? name : `${name}@${this.#domain}`;
  }
}

/** As sasl_decode64(3) does it: in groups of four, with a word of its own for what is left over. A text says what is wrong. */
function fromBase64(text: string): Buffer | string {
  const groups = text.slice(0, text.length - (text.length % 4));
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=))?$/.test(groups)) return 'bad protocol / cancel';
  return groups.length === text.length ? Buffer.from(groups, 'base64') : 'another step is needed in authentication';
}
