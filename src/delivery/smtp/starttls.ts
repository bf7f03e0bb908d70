/** TLS on a connection to a server, and whether it is the server that is wanted. RFC 3207; TLS_README */
import { familyOf } from '#address';
import type { EventChannel } from '#events';
import { isTrusted } from '#message';
import type { ClientHandshake, ClientTls } from '#tls';
import type { Connection } from './connection.ts';
import { matchesFingerprints, nameProblem } from './server-match.ts';
import type { SmtpSettings } from './settings.ts';
import { demandsMatch, demandsTls, demandsTrust } from './tls-levels.ts';
import type { TlsRules } from './tls-policy.ts';

export interface TlsContext {
  readonly settings: SmtpSettings;
  readonly connection: Connection;
  readonly events: EventChannel;
  readonly tls: TlsRules;
  readonly clientTls: ClientTls;
  /** The domain or host that the mail is for, as configured. */
  readonly nexthopDomain: string;
}

/** `Verified`: it is one of those that are wanted. */
export type Trust = 'Anonymous' | 'Untrusted' | 'Trusted' | 'Verified';

type Secured = Extract<ClientHandshake, { readonly kind: 'secured' }>;

/** Puts TLS on a connection, and logs what came of it; undefined: it failed, and the connection is gone. */
export async function startTls(context: TlsContext): Promise<Trust | undefined> {
  const { settings, connection, events, tls, clientTls } = context;
  const { protocols, ciphers, exclude } = tls.attributes;
  connection.socket.removeAllListeners('data');
  const result = await clientTls.secure(
    connection.socket,
    {
      isDemanded: demandsTls(tls.level),
      needsCertificate: demandsMatch(tls.level),
      protocols,
      ciphers,
      ...(exclude && { excluded: exclude }),
      serverName: serverNameFor(context),
    },
    { server: connection.label, timeoutMs: settings.timeouts.startTls },
  );
  if (result.kind === 'failed') {
    const { reason, library } = result;
    if (reason !== undefined) events.emit({ kind: 'tlsFailed', server: connection.label, reason });
    if (library !== undefined) events.emit({ kind: 'warning', text: `TLS library problem: ${library}` });
    connection.destroy();
    return undefined;
  }
  for (const what of result.facts.peer?.unprintable ?? [])
    events.emit({ kind: 'warning', text: `tls_text_name: ${connection.label}: non-printable content in ${what}` });
  const { trust, problem } = judge(context, result);
  if (problem !== undefined) events.emit({ kind: 'tlsServerUnverified', server: connection.label, problem });
  if (settings.tls.logLevel > 0)
    events.emit({ kind: 'tlsEstablished', server: connection.label, trust, tls: result.facts });
  connection.adopt(result.socket);
  return trust;
}

/** smtp_tls_servername, and `servername=` of a policy. Addresses are no names. RFC 6066, 3 */
function serverNameFor({ settings, connection, tls, nexthopDomain }: TlsContext): string {
  const word = tls.attributes.servername ?? settings.tls.serverName;
  const name = word === 'hostname' ? connection.endpoint.host : word === 'nexthop' ? nexthopDomain : word;
  return familyOf(name) === undefined ? name : '';
}

/** `problem`: why the server is not known, as far as it has to be. */
function judge(
  context: TlsContext,
  { facts, certificate }: Secured,
): { readonly trust: Trust; readonly problem?: string } {
  const { settings, connection, tls, nexthopDomain } = context;
  const { level, attributes } = tls;
  const { peer } = facts;
  if (peer === undefined || certificate === undefined) return { trust: 'Anonymous' };
  if (level === 'fingerprint') {
    if (matchesFingerprints(peer, attributes.match ?? settings.tls.fingerprints)) return { trust: 'Verified' };
    // in the words of OpenSSL, which compares fingerprints as if they had come by DANE
    return { trust: 'Untrusted', problem: 'num=65:no matching DANE TLSA records' };
  }
  if (!demandsTrust(level)) return { trust: isTrusted(facts) ? 'Trusted' : 'Untrusted' };
  // as OpenSSL goes about it: who vouches for it, whose it is, and whether its time is now
  const isAboutTime = peer.problem?.startsWith('certificate ') === true;
  const wrongName = nameProblem(certificate, {
    words: attributes.match ?? (level === 'verify' ? settings.tls.verifyMatch : settings.tls.secureMatch),
    nexthop: nexthopDomain,
    host: connection.endpoint.host,
  });
  const problem = isAboutTime ? (wrongName ?? peer.problem) : (peer.problem ?? wrongName);
  return problem === undefined ? { trust: 'Verified' } : { trust: 'Untrusted', problem };
}
