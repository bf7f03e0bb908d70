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
  badMechanism: (name) => ({
    kind: 'refused',
    reason: 'no mechanism available',
    isTemporary: false,
    verdict: { user: undefined },
    warnings: [`${prefix}Couldn't find mech ${name}`],
  }),
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

function refused({ reason, isTemporary = false, user, warnings = [] }: Refusal): SaslStep {
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
      if (bytes === 'bad') return refused({ reason: 'another step is needed in authentication' });
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

/** Strictly: nothing is skipped. */
function fromBase64(text: string): Buffer | 'bad' {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : 'bad';
}
