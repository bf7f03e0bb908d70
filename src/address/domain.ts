/** Domains beyond ASCII, and comparison without case. RFC 5891 (IDNA) · RFC 6531 */

// oxlint-disable-next-line no-control-regex -- ASCII is a range of control and printing characters
const beyondAscii = /[^\x00-\x7f]/;

export function isAsciiText(text: string): boolean {
  return !beyondAscii.test(text);
}

/** The A-label form of a domain; ASCII names come back as they are. undefined: not convertible. */
export function domainToAscii(domain: string): string | undefined {
  if (isAsciiText(domain)) return domain;
  // Signs that mean something to a URL, and the dots and digits of other scripts that become them.
  if (/[\s/?#@:%[\]\\<>^|]/.test(domain.normalize('NFKC'))) return undefined;
  try {
    const { hostname } = new URL(`http://${domain}`);
    // A name of digits in another script became an address.
    return /[^0-9.]/.test(hostname) && !hostname.startsWith('[') ? hostname : undefined;
  } catch {
    // The only way that URL has of saying that a host name is not valid.
    return undefined;
  }
}

/** Text to compare without case: Unicode full case folding. */
export function foldCase(text: string): string {
  if (isAsciiText(text)) return text.toLowerCase();
  return text.toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}
