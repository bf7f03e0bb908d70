/**
 * Logins as Cyrus SASL does them: PLAIN and LOGIN, whose passwords saslauthd(8) or a file of saslpasswd2(8) judges, and
 * the mechanisms with challenges by that file. SASL_README
 */
import { timingSafeEqual } from 'node:crypto';
import { type Challenger, cramConversation, digestConversation } from './challenge-exchanges.ts';
import type { CyrusConfig } from './cyrus-config.ts';
import { asWarnings, badProtocol, fromBase64, refused, wordsOf, wrong } from './cyrus-words.ts';
import type {
  Exchange,
  LoginServer,
  Mechanism,
  MechanismTrait,
  Offer,
  SaslRequest,
  SaslStep,
  SaslWords,
} from './login-server.ts';
import { type Claim, type Listener, loginListener, plainListener } from './plain-exchanges.ts';
import { SaslDatabase } from './sasldb.ts';
import { type Check, checkPassword } from './saslauthd.ts';
import { scramConversation } from './scram-exchange.ts';
import { scramHashes } from './scram.ts';

const defaultSocket = '/var/run/saslauthd/mux';
const defaultDatabase = '/etc/sasldb2';

/** In the order in which they are offered, unless mech_list has another. */
const traitsOf: ReadonlyMap<string, readonly MechanismTrait[]> = new Map<string, readonly MechanismTrait[]>([
  ...[...scramHashes.keys()].map((name): [string, readonly MechanismTrait[]] => [
    name,
    ['noanonymous', 'noplaintext', 'noactive', 'mutual_auth'],
  ]),
  ['DIGEST-MD5', ['noanonymous', 'noplaintext', 'mutual_auth']],
  ['CRAM-MD5', ['noanonymous', 'noplaintext']],
  ['PLAIN', ['noanonymous']],
  ['LOGIN', ['noanonymous']],
]);

/** Both give the password away. */
const listeners: ReadonlyMap<string, () => Listener> = new Map([
  ['PLAIN', plainListener],
  ['LOGIN', loginListener],
]);

const wordsIn = (text: string): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '');

/** `saslauthd`, `auxprop`: who judges passwords, one after the other. */
function methodsOf({ values }: CyrusConfig): readonly string[] {
  return wordsIn((values.get('pwcheck_method') ?? 'auxprop').toLowerCase());
}

/** What a file asks for that is not there; undefined: nothing. */
export function cyrusProblem(config: CyrusConfig): string | undefined {
  const { path, values } = config;
  const where = path === '' ? 'the default, as there is no such file as smtpd.conf' : `in ${path}`;
  const method = methodsOf(config).find((name) => name !== 'saslauthd' && name !== 'auxprop');
  if (method !== undefined) return `pwcheck_method: ${method} (${where})`;
  if (!methodsOf(config).includes('auxprop')) return undefined;
  const plugin = wordsIn(values.get('auxprop_plugin') ?? 'sasldb').find((name) => name.toLowerCase() !== 'sasldb');
  return plugin === undefined ? undefined : `auxprop_plugin: ${plugin} (${where})`;
}

export interface CyrusPlace {
  /** Belongs to users that have none; ''. smtpd_sasl_local_domain */
  readonly domain: string;
  /** Where users without a domain are looked for. myhostname */
  readonly hostName: string;
  /** ms since the epoch. */
  readonly now: () => number;
}

export class CyrusServer implements LoginServer {
  readonly words: SaslWords;
  readonly #config: CyrusConfig;
  readonly #place: CyrusPlace;
  readonly #methods: readonly string[];
  readonly #database: SaslDatabase;

  constructor(config: CyrusConfig, place: CyrusPlace) {
    this.#config = config;
    this.#place = place;
    this.#methods = methodsOf(config);
    this.#database = new SaslDatabase(config.values.get('sasldb_path') ?? defaultDatabase);
    this.words = wordsOf(this.#mechanisms());
  }

  offer(): Promise<Offer> {
    if (this.#config.isBroken) {
      const fatal = 'SASL per-process initialization failed';
      return Promise.resolve({
        kind: 'unreachable',
        warnings: [`${fatal}: error when parsing configuration file`],
        fatal,
      });
    }
    const mechanisms = this.#mechanisms().map((name): Mechanism => ({
      name,
      traits: new Set(traitsOf.get(name) ?? []),
    }));
    return Promise.resolve({ kind: 'mechanisms', mechanisms });
  }

  /** Challenges need a password that can be read. */
  #mechanisms(): readonly string[] {
    const list = this.#config.values.get('mech_list');
    const wanted = list === undefined ? [...traitsOf.keys()] : wordsIn(list.toUpperCase());
    return wanted.filter((name) => listeners.has(name) || (traitsOf.has(name) && this.#methods.includes('auxprop')));
  }

  open({ mechanism, service, initialResponse }: SaslRequest): Exchange {
    const name = mechanism.toUpperCase();
    const listen = listeners.get(name)?.();
    const hear =
      listen === undefined ? this.#challenged(name, service) : this.#plain(listen, service, name === 'PLAIN');
    const take = (response: string | undefined): Promise<SaslStep> => {
      const bytes = response === undefined ? undefined : fromBase64(response);
      return typeof bytes === 'string' ? Promise.resolve(refused({ reason: bytes })) : hear(bytes);
    };
    return { start: () => take(initialResponse), answer: take, abandon: () => undefined };
  }

  #challenged(name: string, service: string): (response: Buffer | undefined) => Promise<SaslStep> {
    const { domain, hostName, now } = this.#place;
    const challenger: Challenger = {
      hostName,
      realm: domain === '' ? hostName : domain,
      service,
      now,
      canonical: (user) => this.#canonical(user),
      passwordOf: (user) => this.#passwordOf(user),
    };
    if (scramHashes.has(name)) return scramConversation(name, challenger);
    const converse = name === 'DIGEST-MD5' ? digestConversation(challenger) : cramConversation(challenger);
    return (response) => Promise.resolve(converse(response));
  }

  #plain(listen: Listener, service: string, tellsOfPassword: boolean): (response?: Buffer) => Promise<SaslStep> {
    return async (response) => {
      const heard = listen(response);
      switch (heard.kind) {
        case 'challenge':
          return { kind: 'challenge', text: Buffer.from(heard.text).toString('base64') };
        case 'nonsense':
          return refused({ reason: badProtocol, warnings: [heard.warning] });
        case 'claim':
          return this.#judge(heard.claim, service, tellsOfPassword);
      }
    };
  }

  async #judge({ user, password, onBehalfOf }: Claim, service: string, tellsOfPassword: boolean): Promise<SaslStep> {
    const name = this.#canonical(user);
    if (name === '') {
      return refused({ reason: 'generic failure', isTemporary: true, warnings: ['All-whitespace username.'] });
    }
    const { check, troubles } = await this.#check(name, password, service);
    const afterthought = tellsOfPassword ? ['Password verification failed'] : [];
    if (check.kind === 'trouble') {
      const warnings = [...troubles, ...afterthought];
      return refused({ reason: 'generic failure', isTemporary: true, user: name, warnings });
    }
    if (check.kind === 'wrong') return refused({ reason: wrong, user: name, warnings: [...troubles, ...afterthought] });
    const asked = onBehalfOf === '' ? name : this.#canonical(onBehalfOf);
    const told = troubles.length === 0 ? {} : { warnings: asWarnings(troubles) };
    if (asked === name) return { kind: 'authenticated', user: name, ...told };
    return refused({
      reason: wrong,
      user: asked,
      warnings: [...troubles, 'Requested identity not authenticated identity'],
    });
  }

  /** By one method after the other, until one is content; the last has the last word. */
  async #check(
    name: string,
    password: string,
    service: string,
  ): Promise<{ readonly check: Check; readonly troubles: readonly string[] }> {
    const troubles: string[] = [];
    let check: Check = { kind: 'wrong' };
    for (const method of this.#methods) {
      check =
        method === 'auxprop'
          ? this.#checkInDatabase(name, password)
          : await this.#askSaslauthd(name, password, service);
      if (check.kind === 'trouble') troubles.push(check.trouble);
      if (check.kind === 'right') break;
    }
    return { check, troubles };
  }

  #askSaslauthd(name: string, password: string, service: string): Promise<Check> {
    const at = name.lastIndexOf('@');
    const [user, realm] = at < 0 ? [name, ''] : [name.slice(0, at), name.slice(at + 1)];
    const path = this.#config.values.get('saslauthd_path') ?? defaultSocket;
    return checkPassword(path, { user, password, service, realm });
  }

  #checkInDatabase(name: string, password: string): Check {
    const expected = this.#passwordOf(name);
    const given = Buffer.from(password);
    const isRight = expected?.length === given.length && timingSafeEqual(expected, given);
    return { kind: isRight ? 'right' : 'wrong' };
  }

  #passwordOf(name: string): Buffer | undefined {
    const at = name.lastIndexOf('@');
    return at < 0
      ? this.#database.passwordOf(name, this.#place.hostName)
      : this.#database.passwordOf(name.slice(0, at), name.slice(at + 1));
  }

  #canonical(user: string): string {
    const name = user.trim();
    const { domain } = this.#place;
    return name === '' || name.includes('@') || domain === '' ? name : `${name}@${domain}`;
  }
}
