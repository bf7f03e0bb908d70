/** Who the client is: reverse name, forward-confirmed name. smtpd_peername_lookup, smtpd(8) */
import { hostNameProblem } from '#address';
import type { HostLookup } from '#dns';
import type { ClientFacts, NameStatus } from './session-state.ts';

interface Names {
  readonly name: string;
  readonly nameStatus: NameStatus;
  readonly reverseName: string;
  readonly reverseNameStatus: NameStatus;
}

const unknown: Names = { name: 'unknown', nameStatus: 'unknown', reverseName: 'unknown', reverseNameStatus: 'unknown' };

/** Looks the names of an address up. `warn` gets `hostname H does not resolve to address A`. */
export async function lookUpNames(address: string, lookup: HostLookup, warn: (text: string) => void): Promise<Names> {
  const reverse = await lookup.name(address);
  if (reverse.kind !== 'ok') {
    const status = reverse.kind === 'tryAgain' ? 'tempfail' : 'unknown';
    return { ...unknown, nameStatus: status, reverseNameStatus: status };
  }
  const problem = hostNameProblem(reverse.name);
  if (problem !== undefined) {
    warn(problem);
    return unknown;
  }
  const known = { reverseName: reverse.name, reverseNameStatus: 'ok' as const };
  const forward = await lookup.addresses(reverse.name);
  if (forward.kind !== 'ok') {
    warn(`hostname ${reverse.name} does not resolve to address ${address}: ${forward.reason}`);
    return { ...known, name: 'unknown', nameStatus: forward.kind === 'tryAgain' ? 'tempfail' : 'unknown' };
  }
  if (forward.addresses.includes(address)) return { ...known, name: reverse.name, nameStatus: 'ok' };
  warn(`hostname ${reverse.name} does not resolve to address ${address}`);
  return { ...known, name: 'unknown', nameStatus: 'unknown' };
}

export function withNames(client: ClientFacts, names: Names): ClientFacts {
  return { ...client, ...names };
}
