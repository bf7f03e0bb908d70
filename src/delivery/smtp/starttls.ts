/** TLS on a connection to a server, and whether it is the server that is wanted. RFC 3207; TLS_README */
import { familyOf } from '#address';
import type { EventChannel } from '#events';
import type { ClientTls } from '#tls';
import type { Connection } from './connection.ts';
import type { KnownAnchors } from './known-anchors.ts';
import { judge, type KnownServer } from './server-verdict.ts';
import type { SmtpSettings } from './settings.ts';
import { demandsMatch, demandsTls } from './tls-levels.ts';
import { isUsable, ofAuthority, strongest, tlsaText, type TlsaRecord } from './tlsa.ts';
import type { TlsRules } from './tls-policy.ts';

export interface TlsContext {
  readonly settings: SmtpSettings;
  readonly connection: Connection;
  readonly events: EventChannel;
  readonly tls: TlsRules;
  readonly clientTls: ClientTls;
  readonly anchors: KnownAnchors;
  /** The server may be asked once more, when it has shown what its certificates lead to. */
  readonly mayAskAgain: boolean;
  /** The domain or host that the mail is for, as configured. */
  readonly nexthopDomain: string;
}

/**
 * Puts TLS on a connection, and logs what came of it; undefined: it failed, and the connection is gone. `askAgain`: who vouches
 * for the server is known only now.
 */
export async function startTls(context: TlsContext): Promise<KnownServer | 'askAgain' | undefined> {
  const { settings, connection, events, tls, clientTls } = context;
  const { protocols, ciphers, exclude } = tls.attributes;
  const records = tls.anchors ?? usableRecords(context);
  const anchors = records.some(({ usage }) => usage === ofAuthority) ? context.anchors.of(records) : undefined;
  connection.socket.removeAllListeners('data');
  const result = await clientTls.secure(
    connection.socket,
    {
      isDemanded: demandsTls(tls.level),
      needsCertificate: demandsMatch(tls.level),
      protocols,
      ciphers,
      ...(exclude && { excluded: exclude }),
      anchors,
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
  const verdict = judge({ ...context, host: connection.endpoint.host }, result, {
    records,
    hasAnchors: anchors !== undefined,
  });
  if (
    !verdict.isWanted &&
    anchors !== undefined &&
    context.anchors.learn(records, result.sent) &&
    context.mayAskAgain
  ) {
    connection.adopt(result.socket);
    return 'askAgain';
  }
  for (const what of result.facts.peer?.unprintable ?? [])
    events.emit({ kind: 'warning', text: `tls_text_name: ${connection.label}: non-printable content in ${what}` });
  const { trust, problem, isOfAuthority = false } = verdict;
  if (problem !== undefined)
    events.emit({ kind: 'tlsServerUnverified', server: connection.label, problem, isOfAuthority });
  if (settings.tls.logLevel > 0)
    events.emit({ kind: 'tlsEstablished', server: connection.label, trust, tls: result.facts });
  connection.adopt(result.socket);
  return verdict;
}

/** The records that can match a certificate; what is wrong with the others is told. */
function usableRecords({ settings, connection, events, tls }: TlsContext): readonly TlsaRecord[] {
  if (tls.dane === undefined) return [];
  const warn = (text: string): void => events.emit({ kind: 'warning', text: `${connection.label}: ${text}` });
  const { daneDigests } = settings.tls;
  const usable = tls.dane.records.filter((record) => {
    const isGood = isUsable(record, daneDigests);
    if (!isGood) warn(`unusable TLSA RR: ${tlsaText(record)}`);
    return isGood;
  });
  if (usable.length === 0)
    warn(`all TLSA records unusable${tls.level === 'dane-only' ? '' : ', fallback to unauthenticated TLS'}`);
  return strongest(usable, daneDigests);
}

/** smtp_tls_servername, `servername=` of a policy, or where DANE has its records. Addresses are no names. RFC 6066, 3; RFC 7672, 8.1 */
function serverNameFor({ settings, connection, tls, nexthopDomain }: TlsContext): string {
  if (tls.dane !== undefined) return tls.dane.baseDomain;
  const word = tls.attributes.servername ?? settings.tls.serverName;
  const name = word === 'hostname' ? connection.endpoint.host : word === 'nexthop' ? nexthopDomain : word;
  return familyOf(name) === undefined ? name : '';
}
