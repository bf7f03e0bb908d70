/** The parts of an address in internal form: local part, domain, extension. address rewriting and local(8) */

export interface AddressParts {
  readonly localPart: string;
  /** '' when there is none. */
  readonly domain: string;
}

/** Cuts at the last `@`. */
export function splitAddress(address: string): AddressParts {
  const at = address.lastIndexOf('@');
  return at < 0
    ? { localPart: address, domain: '' }
    : { localPart: address.slice(0, at), domain: address.slice(at + 1) };
}

/** Local part and domain joined; no `@` without a domain. */
export function joinAddress(localPart: string, domain: string): string {
  return domain === '' ? localPart : `${localPart}@${domain}`;
}

export interface ExtensionOptions {
  /** owner_request_special: with `-` a delimiter, owner-NAME and NAME-request are whole names. */
  readonly ownerRequestSpecial: boolean;
  /** double_bounce_sender. */
  readonly doubleBounceName: string;
}

export interface SplitLocalPart {
  readonly user: string;
  /** Without delimiter; '' when there is none. */
  readonly extension: string;
  readonly delimiter: string;
}

/** Splits at the first delimiter, unless nothing stands before it; the extension may be empty. recipient_delimiter, owner_request_special */
export function splitExtension(localPart: string, delimiters: string, options: ExtensionOptions): SplitLocalPart {
  const whole = { user: localPart, extension: '', delimiter: '' };
  if (delimiters === '') return whole;
  const name = localPart.toLowerCase();
  if (name === 'mailer-daemon' || name === 'postmaster' || name === options.doubleBounceName.toLowerCase())
    return whole;
  if (
    options.ownerRequestSpecial &&
    delimiters.includes('-') &&
    (name.startsWith('owner-') || (name.length > '-request'.length && name.endsWith('-request')))
  ) {
    return whole;
  }
  for (let i = 0; i < localPart.length; i += 1) {
    const delimiter = localPart.charAt(i);
    if (!delimiters.includes(delimiter)) continue;
    return i === 0 ? whole : { user: localPart.slice(0, i), extension: localPart.slice(i + 1), delimiter };
  }
  return whole;
}
