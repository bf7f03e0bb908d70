/** SASL login of a service as main.cf asks for it. SASL_README; postconf(5) smtpd_sasl_auth_enable */
import { isAbsolute, join } from 'node:path';
import type { Settings } from '#config';
import { DovecotServer, type LoginServer, type Mechanism } from '#sasl';
import type { MatchList, TableOpener } from '#tables';

export interface LoginSettings {
  readonly server: LoginServer;
  readonly service: string;
  readonly localDomain: string;
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

/** undefined: nobody can log in. */
export function loginSettings(settings: Settings, tables: TableOpener): LoginSettings | undefined {
  if (!settings.bool('smtpd_sasl_auth_enable')) return undefined;
  const path = settings.string('smtpd_sasl_path');
  const isRelative = !path.startsWith('inet:') && !isAbsolute(path.replace(/^unix:/, ''));
  return {
    server: new DovecotServer(isRelative ? join(settings.string('queue_directory'), path.replace(/^unix:/, '')) : path),
    service: settings.string('smtpd_sasl_service'),
    localDomain: settings.string('smtpd_sasl_local_domain'),
    securityOptions: settings.list('smtpd_sasl_security_options'),
    tlsSecurityOptions: settings.list('smtpd_sasl_tls_security_options'),
    mechanismFilter: tables.matchList(
      'smtpd_sasl_mechanism_filter',
      'string',
      settings.elements('smtpd_sasl_mechanism_filter'),
    ),
    exceptions: tables.matchList(
      'smtpd_sasl_exceptions_networks',
      'namadr',
      settings.elements('smtpd_sasl_exceptions_networks'),
    ),
    needsTls: settings.bool('smtpd_tls_auth_only'),
    responseLimit: settings.int('smtpd_sasl_response_limit'),
    announcesOldForm: settings.bool('broken_sasl_auth_clients'),
  };
}

/** The mechanisms that a client may use; undefined: the login server can't be asked. */
export async function usableMechanisms(
  login: LoginSettings,
  isEncrypted: boolean,
): Promise<readonly Mechanism[] | undefined> {
  const all = await login.server.mechanisms();
  if (all === undefined) return undefined;
  const demanded = new Set<string>(isEncrypted ? login.tlsSecurityOptions : login.securityOptions);
  const strong = all.filter(({ traits }) => demanded.difference(new Set<string>(traits)).size === 0);
  const allowed = await Promise.all(
    strong.map(async ({ name }) => (await login.mechanismFilter.matches(name)) === 'yes'),
  );
  return strong.filter((_, at) => allowed[at]);
}
