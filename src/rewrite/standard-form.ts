/**
 * Addresses in standard form, `user@domain`. trivial-rewrite(8), "STANDARD FORM"
 *
 * Addresses are in internal form. `!` and `%` are operators only in a local-part that needs no quotes.
 */
import { quoteLocalPart } from '#address';
import type { RewriteContext, RewriteSettings } from './settings.ts';

/**
 * The address with its missing parts, without source route and trailing dot. The null address stays null.
 * `isLocalPart`: it has no domain, though it may hold an `@`.
 */
export function toStandardForm(
  address: string,
  context: RewriteContext,
  settings: RewriteSettings,
  isLocalPart = false,
): string {
  if (address === '' || address === '@') return '';
  if (isLocalPart && address.includes('@'))
    return withFullDomain(atOrigin(address, context, settings), context, settings);
  const bare = withoutRoute(address);
  return withoutTrailingDot(withFullDomain(withDomain(bare, context, settings), context, settings));
}

/** RFC 5321, appendix C: a source route `@a,@b:` is ignored. */
function withoutRoute(address: string): string {
  if (!address.startsWith('@')) return address;
  const colon = address.indexOf(':');
  return colon < 0 || colon === address.length - 1 ? address : address.slice(colon + 1);
}

function withDomain(address: string, context: RewriteContext, settings: RewriteSettings): string {
  if (address.includes('@')) return address;
  if (isUnquoted(address)) {
    const bang = settings.swapBangpath ? address.indexOf('!') : -1;
    if (bang >= 0) return `${address.slice(bang + 1)}@${address.slice(0, bang)}`;
    const percent = settings.percentHack ? address.lastIndexOf('%') : -1;
    if (percent >= 0) return `${address.slice(0, percent)}@${address.slice(percent + 1)}`;
  }
  return atOrigin(address, context, settings);
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
