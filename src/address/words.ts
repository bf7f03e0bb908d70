/** The words of address lists and aliases as they are written. RFC 5322, 3.2.4, 3.4.1 */
import type { ScannedToken } from './scanner.ts';

export function wordText({ kind, text }: ScannedToken): string {
  switch (kind) {
    case 'quotedString':
      return `"${text.replace(/["\\\r\n]/g, '\\$&')}"`;
    case 'domainLiteral':
      return `[${text.replace(/[\\\r\n]/g, '\\$&')}]`;
    case 'atom':
    case 'comment':
    case 'operator':
      return text;
  }
}
