/** Address lists back to text, one address a line, and folded as Postfix folds the headers it rewrites. */
import type { AddressToken } from './address-list.ts';
import { toExternal } from './quoting.ts';
import { wordText } from './words.ts';

// Text beside an address that is longer is dropped, for the sake of old Sendmail behind us (CERT CA-2003-07).
const MAX_TEXT_BESIDE_ADDRESS = 250;
const FOLD_AT = 70;

/** The text of a list; one string for each comma-separated part, the comma at its end. */
function formatAddressLines(tokens: readonly AddressToken[]): string[] {
  const lines: string[] = [];
  let line = new Line();
  for (const [index, token] of tokens.entries()) {
    const next = tokens[index + 1];
    if (token.kind === 'operator' && token.text === ',') {
      lines.push(`${line.finish()},`);
      line = new Line();
      continue;
    }
    line.add(token, next);
    if (next !== undefined && needsSpace(token, next)) line.text += ' ';
  }
  lines.push(line.finish());
  return lines;
}

/** A header field of as many addresses on a line as fit, without the line end after the last line. */
export function formatAddressHeader(name: string, tokens: readonly AddressToken[]): string {
  // a folded comment may be cut where it was folded
  const lines = formatAddressLines(tokens).flatMap((line) => line.split('\n'));
  let header = `${name}: ${lines[0] ?? ''}`;
  let length = byteLength(header);
  for (const line of lines.slice(1)) {
    const added = byteLength(line);
    if (length + 1 + added < FOLD_AT) {
      header += ` ${line}`;
      length += 1 + added;
    } else {
      header += /^[ \t]/.test(line) ? `\r\n${line}` : `\r\n\t${line}`;
      length = added;
    }
  }
  return header;
}

/** A surrogate by itself stands for a byte. */
function byteLength(text: string): number {
  return Buffer.byteLength(text.isWellFormed() ? text : text.replaceAll(/[\ud800-\udfff]/gu, '?'));
}

class Line {
  text = '';
  #address: string | undefined;

  add(token: AddressToken, next: AddressToken | undefined): void {
    const text = tokenText(token);
    this.text += text;
    if (token.kind === 'address') this.#address = text;
    else if (text === '<' && next?.kind === 'operator' && next.text === '>') this.#address = '';
  }

  finish(): string {
    const address = this.#address;
    if (address === undefined || byteLength(this.text) - byteLength(address) <= MAX_TEXT_BESIDE_ADDRESS)
      return this.text;
    return `<${address}>`;
  }
}

function tokenText(token: AddressToken): string {
  if (token.kind === 'address') return toExternal(token.address) || '""';
  return token.kind === 'groupStart' ? ':' : wordText(token);
}

function needsSpace(token: AddressToken, next: AddressToken): boolean {
  if (token.kind === 'groupStart' || (next.kind === 'operator' && next.text === '<')) return true;
  return token.kind !== 'operator' && next.kind !== 'operator' && next.kind !== 'groupStart';
}
