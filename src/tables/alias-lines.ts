/** aliases(5) files: `name: value, value…`. postalias(1) */
import { type ScannedToken, scanAddressTokens, wordText } from '#address';
import { type LineReader, readSource, type SourceItem } from './source-lines.ts';

/** Tokens as text, with one space where they need one. */
function textOf(tokens: readonly ScannedToken[]): string {
  let text = '';
  for (const [i, token] of tokens.entries()) {
    const next = tokens[i + 1];
    text += wordText(token);
    if (next === undefined) break;
    const isComma = token.kind === 'operator' && token.text === ',';
    const opensAddress = next.kind === 'operator' && next.text === '<';
    if (isComma || opensAddress || (token.kind !== 'operator' && next.kind !== 'operator')) text += ' ';
  }
  return text;
}

const isOperator = (token: ScannedToken, text: string): boolean => token.kind === 'operator' && token.text === text;

const readAliasLine: LineReader = (text, place, line) => {
  const tokens = scanAddressTokens(text);
  const colon = tokens.findIndex((token) => isOperator(token, ':'));
  const name = tokens.slice(0, Math.max(colon, 0));
  const value = tokens.slice(colon + 1);
  const isPair = colon > 0 && value.length > 0 && !name.some((token) => isOperator(token, ','));
  if (!isPair) return [{ kind: 'warning', text: `${place}: need name:value pair` }];
  if (name.some((token) => isOperator(token, '@') || isOperator(token, '%'))) {
    return [{ kind: 'warning', text: `${place}: name must be local and have no domain` }];
  }
  return [{ kind: 'entry', key: textOf(name), value: textOf(value), line }];
};

/** The entries of an alias file. A name in quotes keeps them; folding is the writer's. */
export function readAliasSource(path: string, content: Uint8Array): readonly SourceItem[] {
  return readSource(path, content, readAliasLine);
}
