/** Whether a domain is delivered here: mydestination, and literals of our own addresses. trivial-rewrite(8) */
import { formatIp, parseAddressLiteral } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { MatchList, MatchResult } from '#tables';

export type DomainTest = (domain: string) => MaybePromise<MatchResult>;

/** Routing goes by mydestination of main.cf, other services by what they have by `-o`. */
export function createLocalDomainTest(mydestination: MatchList, ownAddresses: ReadonlySet<string>): DomainTest {
  return (text) => {
    const domain = text.endsWith('.') ? text.slice(0, -1) : text;
    return whenReady(mydestination.matches(domain), (result) => {
      if (result !== 'no' || !domain.startsWith('[')) return result;
      const literal = parseAddressLiteral(domain);
      return literal !== undefined && ownAddresses.has(formatIp(literal)) ? 'yes' : 'no';
    });
  };
}

/** Whether tables may name addresses of a domain without it: those of $myorigin and of local domains. canonical(5), virtual(5) */
export function createBareKeyTest(isLocalDomain: DomainTest, myorigin: string): DomainTest {
  const origin = myorigin.toLowerCase();
  return (domain) => (domain.toLowerCase() === origin ? 'yes' : isLocalDomain(domain));
}
