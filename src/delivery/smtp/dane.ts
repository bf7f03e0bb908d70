/**
 * What DANE asks of one server: its TLSA records, or what holds where there are none to go by. RFC 7672; TLS_README
 *
 * Nothing counts that the resolver has not found to be signed.
 */
import type { Status } from '#message';
import type { AddressList, DnsOrigin, LookupTools, ServerAddress } from './addresses.ts';
import type { TlsLevel } from './tls-levels.ts';
import type { TlsRules } from './tls-policy.ts';
import { ofAuthority, ofServer, parseTlsa, tlsaText, type TlsaRecord } from './tlsa.ts';

/** What a server is known by. */
export interface DaneRecords {
  /** The name that they were found for, which the server is asked for by. */
  readonly baseDomain: string;
  /** None of another usage. */
  readonly records: readonly TlsaRecord[];
  /** What a certificate with somebody to vouch for it may be for. */
  readonly names: readonly string[];
}

type Found =
  | { readonly kind: 'records'; readonly baseDomain: string; readonly records: readonly TlsaRecord[] }
  | { readonly kind: 'nothing' | 'unusable' | 'trouble' };

/** Rules for one server; a status when it can't be used. */
export async function daneRulesFor(
  tools: LookupTools,
  { list, port, tls }: { readonly list: AddressList; readonly port: number; readonly tls: TlsRules },
  server: ServerAddress,
): Promise<TlsRules | Status> {
  const { mx } = list;
  const { insecureMxPolicy } = tools.settings.tls;
  const isMxSecure = mx?.isSecure !== false;
  const instead = (level: TlsLevel, reason: string): TlsRules | Status =>
    tls.level === 'dane' ? { ...tls, level } : { code: '4.7.5', reason };
  if (!isMxSecure && (tls.level === 'dane-only' || insecureMxPolicy === 'may'))
    return instead('may', 'non DNSSEC destination');
  const usedPort = server.port ?? port;
  const found = await findRecords(tools, server, usedPort);
  switch (found.kind) {
    case 'trouble':
      return { code: '4.7.5', reason: `TLSA lookup error for ${server.host}:${usedPort}` };
    case 'nothing':
      return instead('may', 'no TLSA records found');
    case 'unusable':
      return instead('encrypt', 'TLSA records unusable');
    case 'records': {
      if (!isMxSecure && insecureMxPolicy === 'encrypt') return { ...tls, level: 'encrypt' };
      const { baseDomain, records } = found;
      const names = [baseDomain, ...(mx === undefined ? [] : [mx.canonicalName, mx.name])];
      return { ...tls, level: isMxSecure ? tls.level : 'half-dane', dane: { baseDomain, records, names } };
    }
  }
}

/** Under the name that the addresses were found at, else under the one that was asked for. RFC 7672, 2.2.2 */
async function findRecords(tools: LookupTools, { origin }: ServerAddress, port: number): Promise<Found> {
  if (origin === undefined) return { kind: 'nothing' };
  const { name, canonicalName, isSecure } = origin;
  const isAlias = name.toLowerCase() !== canonicalName.toLowerCase();
  if (isAlias && isSecure) {
    const found = await lookUp(tools, canonicalName, port);
    if (found.kind !== 'nothing') return found;
  }
  const forced = tools.settings.tls.forcesTlsaLookup;
  if (isSecure || forced) return lookUp(tools, name, port);
  return isAlias ? behindAlias(tools, origin, port) : { kind: 'nothing' };
}

/** An alias that is signed, though what it leads to is not. */
async function behindAlias(tools: LookupTools, { name }: DnsOrigin, port: number): Promise<Found> {
  const alias = await tools.resolver.lookup(name, 'CNAME');
  if (alias.kind === 'ok') return alias.secure ? lookUp(tools, name, port) : { kind: 'nothing' };
  const isGone = alias.kind === 'noName' || alias.kind === 'noData';
  tools.warn(`DNSSEC status lookup error for ${name}: ${isGone ? 'no longer a CNAME' : alias.reason}`);
  return { kind: 'trouble' };
}

async function lookUp({ resolver, warn }: LookupTools, baseDomain: string, port: number): Promise<Found> {
  const name = `_${port}._tcp.${baseDomain}`;
  const answer = await resolver.lookup(name, 'TLSA');
  if (answer.kind === 'noName' || answer.kind === 'noData') return { kind: 'nothing' };
  if (answer.kind !== 'ok') {
    warn(`DANE TLSA lookup problem: ${answer.reason}`);
    return { kind: 'trouble' };
  }
  if (!answer.secure) return { kind: 'nothing' };
  const all = answer.records.flatMap((record) => (record.type === 'TLSA' ? (parseTlsa(record.data) ?? []) : []));
  const isOfUse = ({ usage }: TlsaRecord): boolean => usage === ofAuthority || usage === ofServer;
  for (const record of all.filter((one) => !isOfUse(one)))
    warn(`${name} unsupported TLSA certificate usage: ${tlsaText(record)}`);
  const records = all.filter(isOfUse);
  return records.length === 0 ? { kind: 'unusable' } : { kind: 'records', baseDomain, records };
}
