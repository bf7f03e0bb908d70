/** SASL login of a service as main.cf asks for it. SASL_README; postconf(5) smtpd_sasl_auth_enable */
import type { Settings } from '#config';
import { DovecotServer, type LoginServer, type Mechanism, mechanismTraits } from '#sasl';
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

/** undefined: nobody can log in. `warn` hears of a login server that answers nonsense. */
export function loginSettings(
  settings: Settings,
  tables: TableOpener,
  warn: (text: string) => void,
): LoginSettings | undefined {
  if (!settings.bool('smtpd_sasl_auth_enable')) return undefined;
  const mechanismFilter = 'smtpd_sasl_mechanism_filter';
  const exceptions = 'smtpd_sasl_exceptions_networks';
  return {
    server: new DovecotServer(settings.string('smtpd_sasl_path'), settings.string('queue_directory'), warn),
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
  const login = loginSettings(settings, tables, () => undefined);
  const strongest: Mechanism = { name: 'PLAIN', traits: new Set(mechanismTraits) };
  return login === undefined
    ? undefined
    : {
        ...login,
        server: {
          offer: async () => ({ kind: 'mechanisms', mechanisms: [strongest] }),
          open: (request) => login.server.open(request),
        },
        mechanismFilter: tables.matchList('smtpd_sasl_mechanism_filter', 'string', []),
      };
}

/** How clients can log in, or why nobody can be served. */
export type Usable =
  | { readonly kind: 'mechanisms'; readonly mechanisms: readonly Mechanism[]; readonly announced: readonly string[] }
  | { readonly kind: 'none'; readonly warning?: string | undefined; readonly fatal: string };

/** What a client may use: whatever is strong enough; of that, the filter says what is announced. */
export async function usableMechanisms(login: LoginSettings, isEncrypted: boolean): Promise<Usable> {
  const demanded = isEncrypted ? login.tlsSecurityOptions : login.securityOptions;
  const known = new Set<string>(mechanismTraits);
  const odd = demanded.find((name) => !known.has(name.toLowerCase()));
  if (odd !== undefined) {
    return { kind: 'none', fatal: `unknown xsasl_dovecot_server_create value "${odd}" in "${demanded.join(' ')}"` };
  }
  const fatal = 'no SASL authentication mechanisms';
  const offer = await login.server.offer();
  if (offer.kind === 'unreachable') return { kind: 'none', warning: offer.warning, fatal };
  const traits = new Set(demanded.map((name) => name.toLowerCase()));
  const mechanisms = offer.mechanisms.filter((mechanism) => traits.isSubsetOf(new Set<string>(mechanism.traits)));
  if (mechanisms.length === 0) return { kind: 'none', fatal };
  const announced: string[] = [];
  for (const { name } of mechanisms) {
    const answer = await login.mechanismFilter.matches(name);
    if (typeof answer === 'object') {
      return { kind: 'none', fatal: 'smtpd_sasl_mechanism_filter: table lookup problem' };
    }
    if (answer === 'yes') announced.push(name);
  }
  return { kind: 'mechanisms', mechanisms, announced };
}
