/** Whether a domain is delivered here: mydestination, and literals of our own addresses. trivial-rewrite(8) */
import { formatIp, parseAddressLiteral } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { MatchList, MatchResult } from '#tables';

export function createLocalDomainTest(
  mydestination: MatchList,
  ownAddresses: ReadonlySet<string>,
): (domain: string) => MaybePromise<MatchResult> {
  return (text) => {
    const domain = text.endsWith('.') ? text.slice(0, -1) : text;
    return whenReady(mydestination.matches(domain), (result) => {
      if (result !== 'no' || !domain.startsWith('[')) return result;
      const literal = parseAddressLiteral(domain);
      return literal !== undefined && ownAddresses.has(formatIp(literal)) ? 'yes' : 'no';
    });
  };
}
