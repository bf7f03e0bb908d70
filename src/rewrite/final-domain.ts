/**
 * Where an address leads after all local domains are taken away: `a%b@here` is for `a@b`. trivial-rewrite(8),
 * postconf(5) resolve_dequoted_address
 */
import { parseIp } from '#address';
import type { MaybePromise } from '#message';
import type { MatchResult } from '#tables';
import type { ResolveSettings, RewriteSettings } from './settings.ts';
import { isUnquoted, toStandardForm, withoutTrailingDot } from './standard-form.ts';

export type FinalDomain =
  | {
      readonly kind: 'found';
      /** `user@domain`. */
      readonly recipient: string;
      readonly domain: string;
      readonly isLocal: boolean;
    }
  | { readonly kind: 'failed'; readonly reason: string };

interface Tests {
  readonly isLocalDomain: (domain: string) => MaybePromise<MatchResult>;
  readonly resolve: ResolveSettings;
  readonly rewrite: RewriteSettings;
}

/** An address on its way. `saved`: the local domain that was taken away last. */
interface Step {
  readonly kind: 'next';
  readonly address: string;
  readonly saved: string | undefined;
  readonly tests: Tests;
}

/** Takes local domains away, one after the other. */
export function findFinalDomain(address: string, tests: Tests): MaybePromise<FinalDomain> {
  return follow({ kind: 'next', address, saved: undefined, tests });
}

/** In a loop: a long address holds thousands of them. */
function follow(first: MaybePromise<Step | FinalDomain>): MaybePromise<FinalDomain> {
  let step = first;
  while (!(step instanceof Promise)) {
    if (step.kind !== 'next') return step;
    step = takeDomain(step);
  }
  return step.then(follow);
}

/** Each step makes the address shorter or ends. */
function takeDomain({ address, saved, tests }: Step): MaybePromise<Step | FinalDomain> {
  let rest = withoutTrailingDot(address);
  if (tests.resolve.dropsNullDomain && rest.endsWith('@')) rest = rest.slice(0, -1);
  const at = rest.lastIndexOf('@');
  if (at < 0) return localPartAlone(rest, tests, saved);
  const domain = rest.slice(at + 1);
  if (domain === '') return localPartAlone(rest.slice(0, at), tests, '');
  const whole = rest;
  const go = (answer: MatchResult): Step | FinalDomain => {
    const literal = answer === 'no' && tests.resolve.bracketsNumericDomain ? asLiteral(domain) : undefined;
    if (literal !== undefined) return { kind: 'next', address: `${whole.slice(0, at)}@${literal}`, tests, saved };
    if (answer === 'no') return { kind: 'found', recipient: whole, domain, isLocal: false };
    if (answer !== 'yes') return { kind: 'failed', reason: answer.failed };
    return localPartAlone(whole.slice(0, at), tests, domain);
  };
  const answer = tests.isLocalDomain(domain);
  return answer instanceof Promise ? answer.then(go) : go(answer);
}

/** An IP address in brackets; undefined for what is none, or has them. postconf(5) resolve_numeric_domain */
function asLiteral(domain: string): string | undefined {
  const address = parseIp(domain);
  if (address === undefined) return undefined;
  return address.family === 'ipv6' ? `[IPv6:${domain}]` : `[${domain}]`;
}

/** What is left when there is no domain, or only a local one: done, unless it holds another address. */
function localPartAlone(localPart: string, tests: Tests, saved: string | undefined): Step | FinalDomain {
  // neither a user nor a domain: nobody's address
  if (localPart === '@') return { kind: 'found', recipient: '@', domain: '', isLocal: false };
  const inner = innerAddress(localPart, tests);
  if (inner !== undefined) {
    return { kind: 'next', address: toStandardForm(inner, tests.rewrite.local, tests.rewrite), tests, saved };
  }
  const user = localPart === '' ? tests.resolve.emptyAddressRecipient : localPart;
  if (localPart === '' && user.includes('@')) return ofWholeAddress(user, tests);
  // this host's name has to be in mydestination like any other
  if (saved === undefined) return { kind: 'next', address: `${user}@${tests.resolve.myhostname}`, saved, tests };
  return { kind: 'found', recipient: `${user}@${saved}`, domain: saved, isLocal: true };
}

/** Who gets what is for nobody, with a domain of its own. postconf(5) empty_address_recipient */
function ofWholeAddress(address: string, tests: Tests): Step {
  // an address that leads to nobody again leads no further
  const resolve = { ...tests.resolve, emptyAddressRecipient: 'MAILER-DAEMON' };
  const whole = toStandardForm(address, tests.rewrite.local, tests.rewrite);
  return { kind: 'next', address: whole, saved: undefined, tests: { ...tests, resolve } };
}

/** The address that a local-part holds by its operators; undefined when it is only a name. */
function innerAddress(localPart: string, { resolve, rewrite }: Tests): string | undefined {
  if (isUnquoted(localPart)) {
    const hasOperator =
      (rewrite.swapBangpath && localPart.includes('!')) || (rewrite.percentHack && localPart.includes('%'));
    return hasOperator ? localPart : undefined;
  }
  if (!resolve.opensQuotedLocalParts) return undefined;
  if (localPart.includes('@')) return localPart;
  const percent = rewrite.percentHack ? localPart.lastIndexOf('%') : -1;
  if (percent >= 0) return `${localPart.slice(0, percent)}@${localPart.slice(percent + 1)}`;
  const bang = rewrite.swapBangpath ? localPart.indexOf('!') : -1;
  return bang < 0 ? undefined : `${localPart.slice(bang + 1)}@${localPart.slice(0, bang)}`;
}
