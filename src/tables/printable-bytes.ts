/** Bytes of others as warnings and reasons show them: what is no printable ASCII is a `?`, as in Postfix. */
export function printable(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll(/[^\x20-\x7e]/g, '?');
}
