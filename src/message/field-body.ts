/** The body of a header field, all behind the colon, its folding left as it is. RFC 5322, 2.2 */
export function fieldBody(field: string): string {
  return field.slice(field.indexOf(':') + 1);
}
