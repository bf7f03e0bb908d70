/** Results of expression tables, with `$1`, `${1}`, `$(1)` and `$$`. regexp_table(5), "TEXT SUBSTITUTION" */
import { bytesOf } from '#message';

/** Parts of a result: fixed text, or the number of a group. */
export interface Replacement {
  readonly parts: readonly (string | number)[];
  /** The largest number of a group; 0 when the text doesn't depend on the key. */
  readonly lastGroup: number;
}

/** Numbers wrap around as 32-bit ones do. */
function toNumber(digits: string): number {
  return Number(BigInt.asIntN(32, BigInt(digits)));
}

/** Where the parenthesis that opens at `at` is closed; undefined when it isn't. */
function closingOf(text: string, at: number): number | undefined {
  const opening = text.charAt(at);
  const closing = opening === '{' ? '}' : ')';
  let depth = 0;
  for (let i = at; i < text.length; i += 1) {
    if (text.charAt(i) === opening) depth += 1;
    else if (text.charAt(i) === closing) depth -= 1;
    if (depth === 0) return i;
  }
  return undefined;
}

/**
 * Parses a result. A problem has two places to be told: as it is, and with the rule's file and line before it
 * (`ofRule`). `outOfRange` is how the kind of table says that there is no such group.
 */
export function parseReplacement(
  text: string,
  outOfRange: string,
): Replacement | { readonly problem: string; readonly ofRule: boolean } {
  const parts: (string | number)[] = [];
  let lastGroup = 0;
  let at = 0;
  while (at < text.length) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) {
      parts.push(text.slice(at));
      break;
    }
    if (dollar > at) parts.push(text.slice(at, dollar));
    const next = text.charAt(dollar + 1);
    if (next === '$') {
      parts.push('$');
      at = dollar + 2;
      continue;
    }
    let name: string;
    if (next === '{' || next === '(') {
      const end = closingOf(text, dollar + 1);
      if (end === undefined) return { problem: `truncated macro reference: "${text}"`, ofRule: false };
      name = text.slice(dollar + 2, end);
      at = end + 1;
    } else {
      name = /^\w+/.exec(text.slice(dollar + 1))?.[0] ?? '';
      at = dollar + 1 + name.length;
    }
    if (name === '') return { problem: `empty macro name: "${text}"`, ofRule: false };
    if (!/^\d+$/.test(name)) return { problem: `non-numeric replacement index "${name}"`, ofRule: true };
    const group = toNumber(name);
    if (group < 1) return { problem: `${outOfRange} replacement index "${group}"`, ofRule: true };
    lastGroup = Math.max(lastGroup, group);
    parts.push(group);
  }
  return { parts, lastGroup };
}

/** The result for what the groups matched. */
export function replaced(replacement: Replacement, captures: readonly Buffer[]): Buffer {
  const none = Buffer.alloc(0);
  return Buffer.concat(
    replacement.parts.map((part) => (typeof part === 'string' ? bytesOf(part) : (captures[part] ?? none))),
  );
}
