/** SASL login of a service as main.cf asks for it. SASL_README; postconf(5) smtpd_sasl_auth_enable */
import { ConfigError, placeOf, type Settings, tcpPorts } from '#config';
import {
  createRehearsedServer,
  CyrusServer,
  cyrusProblem,
  DovecotServer,
  dovecotWords,
  type LoginServer,
  type Mechanism,
  mechanismTraits,
  type Obituary,
  readCyrusConfig,
} from '#sasl';
import type { MatchList, TableOpener } from '#tables';

export interface LoginSettings {
  readonly server: LoginServer;
  readonly service: string;
  readonly securityOptions: readonly string[];
  readonly tlsSecurityOptions: readonly string[];
  readonly mechanismFilter: MatchList;
  /** Clients that are not offered it. */
  readonly exceptions: MatchList;
  /** Not before TLS. smtpd_tls_auth_only */
  readonly needsTls: boolean;
  readonly responseLimit: number;
  readonly announcesOldForm: boolean;
}

export interface LoginOptions {
  readonly tables: TableOpener;
  /** Where Cyrus SASL's file is looked for, among other places. */
  readonly configDirectory: string;
  /** Hears of a login server that answers nonsense. */
  readonly warn: (text: string) => void;
}

/** undefined: nobody can log in. Throws ConfigError where Cyrus SASL should do what is not there. */
export function loginSettings(settings: Settings, options: LoginOptions): LoginSettings | undefined {
  return settings.bool('smtpd_sasl_auth_enable')
    ? loginSettingsWith(serverOf(settings, options), settings, options.tables)
    : undefined;
}

/** smtpd_sasl_type */
function serverOf(settings: Settings, { configDirectory, warn }: LoginOptions): LoginServer {
  const path = settings.string('smtpd_sasl_path');
  if (settings.string('smtpd_sasl_type') === 'dovecot')
    return new DovecotServer(path, settings.string('queue_directory'), warn, tcpPorts(settings));
  const chosen = settings.string('cyrus_sasl_config_path');
  const usual = [`${configDirectory}/sasl`, '/etc/sasl2', '/usr/lib/sasl2'];
  const config = readCyrusConfig(chosen === '' ? usual : chosen.split(':'), path);
  const problem = config.isBroken ? undefined : cyrusProblem(config);
  if (problem === undefined) {
    const domain = settings.string('smtpd_sasl_local_domain');
    return new CyrusServer(config, { domain, hostName: settings.string('myhostname'), now: Date.now });
  }
  const place = placeOf(settings.origin('smtpd_sasl_auth_enable'));
  const what = `smtpd_sasl_type = cyrus with ${problem}`;
  throw new ConfigError([
    `${place}${what} is not in this version; saslauthd and sasldb are, and smtpd_sasl_type = dovecot`,
  ]);
}

/** As main.cf has it, with a login server of one's own. */
export function loginSettingsWith(server: LoginServer, settings: Settings, tables: TableOpener): LoginSettings {
  const mechanismFilter = 'smtpd_sasl_mechanism_filter';
  const exceptions = 'smtpd_sasl_exceptions_networks';
  return {
    server,
    service: settings.string('smtpd_sasl_service'),
    securityOptions: settings.list('smtpd_sasl_security_options'),
    tlsSecurityOptions: settings.list('smtpd_sasl_tls_security_options'),
    mechanismFilter: tables.matchList(mechanismFilter, 'string', settings.elements(mechanismFilter)),
    exceptions: tables.matchList(exceptions, 'namadr', settings.elements(exceptions)),
    needsTls: settings.bool('smtpd_tls_auth_only'),
    responseLimit: settings.int('smtpd_sasl_response_limit'),
    announcesOldForm: settings.bool('broken_sasl_auth_clients'),
  };
}

/** As `loginSettings`, where clients are only described: whoever is said to have logged in has, and nobody is asked. */
export function rehearsedLogin(settings: Settings, tables: TableOpener): LoginSettings | undefined {
  if (!settings.bool('smtpd_sasl_auth_enable')) return undefined;
  const mechanismFilter = tables.matchList('smtpd_sasl_mechanism_filter', 'string', [{ text: 'static:all' }]);
  return { ...loginSettingsWith(createRehearsedServer(dovecotWords), settings, tables), mechanismFilter };
}

/** How clients can log in, or why nobody can be served. */
export type Usable =
  | { readonly kind: 'mechanisms'; readonly mechanisms: readonly Mechanism[]; readonly announced: readonly string[] }
  | ({ readonly kind: 'none' } & Obituary);

/** What a client may use: whatever is strong enough; of that, the filter says what is announced. */
export async function usableMechanisms(login: LoginSettings, isEncrypted: boolean): Promise<Usable> {
  const demanded = isEncrypted ? login.tlsSecurityOptions : login.securityOptions;
  const known = new Set<string>(mechanismTraits);
  const odd = demanded.find((name) => !known.has(name.toLowerCase()));
  if (odd !== undefined) {
    return { kind: 'none', ...login.server.words.badOption(odd, demanded) };
  }
  const offer = await login.server.offer();
  if (offer.kind === 'unreachable') return { ...offer, kind: 'none' };
  const traits = new Set(demanded.map((name) => name.toLowerCase()));
  const mechanisms = offer.mechanisms.filter((mechanism) => traits.isSubsetOf(new Set<string>(mechanism.traits)));
  if (mechanisms.length === 0) return { kind: 'none', ...login.server.words.noneLeft };
  const announced: string[] = [];
  for (const { name } of mechanisms) {
    const answer = await login.mechanismFilter.matches(name);
    if (typeof answer === 'object') {
      return { kind: 'none', warnings: [], fatal: 'smtpd_sasl_mechanism_filter: table lookup problem' };
    }
    if (answer === 'yes') announced.push(name);
  }
  if (announced.length === 0) {
    const all = mechanisms.map(({ name }) => name).join(' ');
    return { kind: 'none', warnings: [], fatal: `smtpd_sasl_mechanism_filter discards all mechanisms in '${all}'` };
  }
  return { kind: 'mechanisms', mechanisms, announced };
}
