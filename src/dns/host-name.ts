/** What may be asked for, and believed in an answer, as a host name (Postfix valid_hostname: letters, digits, `-`, `_`). */

const label = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;

/** Whether a name is syntactically a host or domain name: not empty, not all numbers, no odd characters. */
export function isDnsName(name: string): boolean {
  if (name.length === 0 || name.length > 255 || /^[0-9.]+$/.test(name)) return false;
  return name.split('.').every((part) => label.test(part));
}
