/**
 * Addresses in standard form, `user@domain`. trivial-rewrite(8), "STANDARD FORM"
 *
 * Addresses are in internal form. `!` and `%` are operators outside of quotes; where the quotes are not known any more, in
 * a local-part that needs none.
 */
import { type LocalPartOperators, quoteLocalPart } from '#address';
import type { RewriteContext, RewriteSettings } from './settings.ts';

/**
 * The address with its missing parts, without source route and trailing dot. The null address stays null.
 * `localPart`: it has no domain, though it may hold an `@`, and its operators are there.
 */
export function toStandardForm(
  address: string,
  context: RewriteContext,
  settings: RewriteSettings,
  localPart?: LocalPartOperators,
): string {
  if (address === '' || address === '@') return '';
  if (localPart !== undefined) {
    const whole = routed(address, localPart, context, settings);
    return whole === address ? address : completed(whole, context, settings);
  }
  const bare = withoutRoute(address);
  return completed(withDomain(bare, context, settings), context, settings);
}

/** RFC 5321, appendix C: a source route `@a,@b:` is ignored. */
function withoutRoute(address: string): string {
  if (!address.startsWith('@')) return address;
  const colon = address.indexOf(':');
  return colon < 0 || colon === address.length - 1 ? address : address.slice(colon + 1);
}

function withDomain(address: string, context: RewriteContext, settings: RewriteSettings): string {
  if (address.includes('@')) return address;
  if (!isUnquoted(address)) return atOrigin(address, context, settings);
  return routed(address, { bang: address.indexOf('!'), percent: address.lastIndexOf('%') }, context, settings);
}

/** A local-part with a domain: the one that `!` or `%` in it names, or ours. */
function routed(
  localPart: string,
  { bang, percent }: LocalPartOperators,
  context: RewriteContext,
  settings: RewriteSettings,
): string {
  if (settings.swapBangpath && bang >= 0) return `${localPart.slice(bang + 1)}@${localPart.slice(0, bang)}`;
  if (settings.percentHack && percent >= 0) return `${localPart.slice(0, percent)}@${localPart.slice(percent + 1)}`;
  return atOrigin(localPart, context, settings);
}

function completed(address: string, context: RewriteContext, settings: RewriteSettings): string {
  return withoutTrailingDot(withFullDomain(address, context, settings));
}

function atOrigin(localPart: string, context: RewriteContext, settings: RewriteSettings): string {
  return settings.appendAtMyorigin && context.origin !== '' ? `${localPart}@${context.origin}` : localPart;
}

function withFullDomain(address: string, context: RewriteContext, settings: RewriteSettings): string {
  if (!settings.appendDotMydomain || context.domain === '') return address;
  const at = address.lastIndexOf('@');
  if (at < 0 || at === address.length - 1) return address;
  const domain = address.slice(at + 1);
  return domain.includes('.') || domain.includes('[') ? address : `${address}.${context.domain}`;
}

/** `..` and `@.` at the end stay, so that what is broken shows. */
export function withoutTrailingDot(address: string): string {
  if (!address.endsWith('.') || address.endsWith('..') || address.endsWith('@.')) return address;
  return address.includes('@') ? address.slice(0, -1) : address;
}

export function isUnquoted(localPart: string): boolean {
  return quoteLocalPart(localPart) === localPart;
}
