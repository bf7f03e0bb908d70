/** How strong a cipher is. */

/** Bits of the symmetric key, as the names of ciphers tell them. */
export function keyBitsOf(cipher: string): number {
  const [, named] = /(?:AES|CAMELLIA|ARIA)_?(128|256)/.exec(cipher) ?? [];
  if (named !== undefined) return Number(named);
  if (cipher.includes('NULL')) return 0;
  if (cipher.includes('CHACHA20')) return 256;
  return /3DES|DES-CBC3/.test(cipher) ? 168 : 128;
}
