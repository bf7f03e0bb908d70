/**
 * Keys with their certificates in one text, each key before its chain. There may be several of them, for clients that
 * know one kind of key only. postconf(5) smtpd_tls_chain_files
 */

export interface Chains {
  readonly key: Buffer[];
  /** In the order of the keys; each with the certificates of those who vouch for it. */
  readonly cert: Buffer[];
}

const block = /-----BEGIN ([A-Z0-9 ]+)-----[^]*?-----END \1-----/g;

/** The pairs in a text; a text says what is wrong with it. */
export function chainsIn(pem: Buffer): Chains | string {
  const groups: { readonly key: string; readonly certificates: string[] }[] = [];
  for (const [whole, label = ''] of pem.toString('latin1').matchAll(block)) {
    if (label.endsWith('PRIVATE KEY')) groups.push({ key: whole, certificates: [] });
    else if (label.endsWith('CERTIFICATE')) {
      const group = groups.at(-1);
      if (group === undefined) return 'key not first';
      group.certificates.push(whole);
    }
  }
  if (groups.length === 0) return 'no private keys';
  if (groups.some(({ certificates }) => certificates.length === 0)) return 'key without a certificate';
  return {
    key: groups.map(({ key }) => Buffer.from(`${key}\n`)),
    cert: groups.map(({ certificates }) => Buffer.from(`${certificates.join('\n')}\n`)),
  };
}
