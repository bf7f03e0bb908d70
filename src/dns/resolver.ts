/**
 * The resolver of a host: from a name and a type to an answer (RFC 1034, 5.3.1).
 *
 * Follows CNAME chains, and tells *no such name*, *no data* and *try again* apart. Equal questions under way are asked
 * once; questions at a time are bounded, and so is every wait.
 */
import { randomInt } from 'node:crypto';
import type { DnsAnswer, DnsTrouble, DnsType, Resolver } from './answer.ts';
import type { NameServer } from './exchange.ts';
import { isValidHostName } from '#address';
import { invalidNameReason, lookupReason, malformedReason } from './reasons.ts';
import { absenceTtl, extractRecords } from './records.ts';
import { isRefusal, rcodes } from './rcodes.ts';
import { askInRounds, type Rounds } from './rounds.ts';
import { Turns } from './turns.ts';

export interface ResolverOptions {
  /** Addresses, or addresses with ports; asked in this order. */
  readonly servers: readonly (string | NameServer)[];
  /** For one question to one server, over UDP and again over TCP. */
  readonly timeoutMs?: number;
  /** Rounds through the servers. */
  readonly attempts?: number;
  /** Questions at a time; more wait their turn, no longer than they would for an answer. */
  readonly concurrency?: number;
  /** 16 random bits for the query id. */
  readonly randomId?: () => number;
  /** Gets Postfix's warnings about names that can't be believed. */
  readonly warn?: (text: string) => void;
}

/** Longest CNAME chain that is followed (Postfix: 10). */
const maxAliases = 10;

/** A resolver that asks the given servers. Never rejects; a wait ends after timeout × attempts × servers at most. */
export function createResolver(options: ResolverOptions): Resolver {
  const servers = options.servers.map((server) =>
    typeof server === 'string' ? { address: server, port: 53 } : server,
  );
  const timeoutMs = options.timeoutMs ?? 5000;
  const attempts = options.attempts ?? 2;
  const randomId = options.randomId ?? (() => randomInt(0x10000));
  const rounds: Rounds = { servers, timeoutMs, attempts, randomId };
  const warn = options.warn ?? (() => {});
  const turns = new Turns(options.concurrency ?? 500, timeoutMs * attempts * Math.max(servers.length, 1));
  const underWay = new Map<string, Promise<DnsAnswer>>();

  return {
    lookup(name, type) {
      const isRoot = name === '.';
      const plain = name.endsWith('.') && !isRoot ? name.slice(0, -1) : name;
      if (!isRoot && !isValidHostName(plain)) {
        return Promise.resolve({ kind: 'noName', reason: invalidNameReason(name) });
      }
      const key = `${type} ${plain.toLowerCase()}`;
      const same = underWay.get(key);
      if (same !== undefined) return same;
      const answer = turns
        .take(() => chase(plain, type, rounds, warn))
        .then((value) => value ?? { kind: 'tryAgain' as const, reason: lookupReason(plain, type, 'tryAgain') })
        .finally(() => underWay.delete(key));
      underWay.set(key, answer);
      return answer;
    },
  };
}

/** The answer at the end of a chain of aliases. */
async function chase(asked: string, type: DnsType, rounds: Rounds, warn: (text: string) => void): Promise<DnsAnswer> {
  let name = asked;
  let secure = true;
  const trouble = (kind: DnsTrouble): { readonly kind: DnsTrouble; readonly reason: string } => ({
    kind,
    reason: lookupReason(name, type, kind),
  });
  const malformed = (): DnsAnswer => ({ kind: 'tryAgain', reason: malformedReason(name, type) });
  for (let aliases = 0; aliases < maxAliases; aliases++) {
    const heard = await askInRounds({ name, type }, rounds);
    if (heard.kind === 'silent') return trouble('tryAgain');
    if (heard.kind === 'malformed') return malformed();
    const failure = troubleOfCode(heard.rcode);
    if (failure === 'noName') return { ...trouble(failure), ...absenceTtl(heard.packet) };
    if (failure !== undefined) return trouble(failure);
    if (heard.answerCount === 0) return { ...trouble('noData'), ...absenceTtl(heard.packet) };
    for (const complaint of heard.complaints) warn(complaint);
    secure &&= heard.packet.flag_ad;
    const extract = extractRecords(heard.packet, name, type, warn);
    switch (extract.kind) {
      case 'records':
        return {
          kind: 'ok',
          records: extract.records,
          secure,
          canonicalName: extract.records[0]?.name ?? name,
        };
      case 'alias':
        name = extract.target;
        break;
      case 'nullMx':
        return trouble('nullMx');
      case 'invalid':
        return heard.hasUnreadable ? malformed() : trouble('invalid');
      case 'none':
        return heard.hasUnreadable ? malformed() : { kind: 'noData', reason: malformedReason(name, type) };
    }
  }
  return { kind: 'noName', reason: `Name server loop for ${asked}` };
}

function troubleOfCode(rcode: number): DnsTrouble | undefined {
  if (rcode === rcodes.ok) return undefined;
  if (rcode === rcodes.noName) return 'noName';
  return isRefusal(rcode) ? 'tryAgain' : 'failed';
}
