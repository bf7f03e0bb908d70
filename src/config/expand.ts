/**
 * `$` expansion of values: $name, ${name}, $(name), ${name?x}, ${name:x}, ${name?{x}:{y}}, ${{a} OP {b} ? {x} : {y}},
 * ${domain_to_ascii{x}}, $$.
 * postconf(5)
 */
import { domainToASCII as domainToAscii } from 'node:url';
import { compareLevels } from './compatibility-level.ts';

/** Gives the unexpanded value of a name; undefined when it is not known. */
export type ValueSource = (name: string) => string | undefined;

export type Expansion =
  | { readonly kind: 'ok'; readonly text: string; readonly undefinedNames: readonly string[] }
  /** `isSyntax`: whatever the names stand for, the text can't be read. */
  | { readonly kind: 'failed'; readonly reason: string; readonly isSyntax: boolean };

class ExpansionError extends Error {}
/** The text is well formed, what it stands for is not. */
class ValueError extends ExpansionError {}

const maxDepth = 100;

interface Run {
  readonly source: ValueSource;
  readonly undefinedNames: string[];
}

/** Index after the bracket that closes the one at `open`; -1 when it is missing. */
function closingIndex(text: string, open: number): number {
  const left = text.charAt(open);
  const right = left === '{' ? '}' : ')';
  let depth = 0;
  for (let i = open; i < text.length; i += 1) {
    const char = text.charAt(i);
    if (char === left) depth += 1;
    else if (char === right) {
      depth -= 1;
      if (depth === 0) return i + 1;
    }
  }
  return -1;
}

/** `{text}` at `at`, with the white space in it; undefined when there is none. */
function braced(text: string, at: number): { readonly text: string; readonly end: number } | undefined {
  if (text.charAt(at) !== '{') return undefined;
  const end = closingIndex(text, at);
  return end < 0 ? undefined : { text: text.slice(at + 1, end - 1), end };
}

const skipSpace = (text: string, at: number): number => at + (/^\s*/.exec(text.slice(at))?.[0].length ?? 0);

const operators = ['==', '!=', '<=', '>=', '<', '>'] as const;
type Operator = (typeof operators)[number];

function holds(operator: Operator, difference: number): boolean {
  switch (operator) {
    case '==':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<=':
      return difference <= 0;
    case '>=':
      return difference >= 0;
    case '<':
      return difference < 0;
    case '>':
      return difference > 0;
  }
}

function compare(left: string, right: string, byLevel: boolean): number {
  if (byLevel) {
    const difference = compareLevels(left, right);
    if (difference !== undefined) return difference;
    const wrong = compareLevels(left, left) === undefined ? left : right;
    throw new ValueError(`malformed compatibility level syntax: "${wrong}"`);
  }
  if (/^\d+$/.test(left) && /^\d+$/.test(right)) return Number(left) - Number(right);
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The `?x`, `:y`, `?{x}:{y}` behind a name or condition. */
function branches(text: string): { readonly yes?: string; readonly no?: string } {
  const mark = text.charAt(0);
  const at = skipSpace(text, 1);
  const first = braced(text, at);
  if (first === undefined) {
    const plain = text.slice(1);
    return mark === '?' ? { yes: plain } : { no: plain };
  }
  const next = skipSpace(text, first.end);
  if (mark === ':') {
    refuseRest(text, at + 1, next);
    return { no: first.text };
  }
  if (text.charAt(next) !== ':') {
    if (next < text.length) throw new ExpansionError(`":" expected at: "${context(text, at + 1, next)}"`);
    return { yes: first.text };
  }
  const from = skipSpace(text, next + 1);
  const second = braced(text, from);
  if (second === undefined) return { yes: first.text, no: text.slice(next + 1) };
  refuseRest(text, from + 1, skipSpace(text, second.end));
  return { yes: first.text, no: second.text };
}

/** Nothing may follow what stands in braces from `from` on. */
function refuseRest(text: string, from: number, at: number): void {
  if (at < text.length) throw new ExpansionError(`unexpected input at: "${context(text, from, at)}"`);
}

function expandCondition(body: string, whole: string, run: Run, depth: number): string {
  const left = braced(body, 0);
  if (left === undefined) throw new ExpansionError(`bad macro syntax: "${whole}"`);
  let at = skipSpace(body, left.end);
  const sign = /^[<>!=?+\-*/~&|%]*/.exec(body.slice(at))?.[0] ?? '';
  const operator = operators.find((candidate) => candidate === sign);
  if (operator === undefined) {
    throw new ExpansionError(`"==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "${context(body, 1, at)}"`);
  }
  at += operator.length;
  const suffix = /^[A-Za-z0-9]*/.exec(body.slice(at))?.[0] ?? '';
  if (suffix !== '' && suffix !== 'level') {
    throw new ExpansionError(`bad operator suffix at: "...${operator}>>>${suffix}"`);
  }
  const byLevel = suffix !== '';
  at += suffix.length;
  const right = braced(body, skipSpace(body, at));
  if (right === undefined) {
    const place = `...{${left.text}} ${operator}>>>${body.slice(at, at + contextLength)}`;
    throw new ExpansionError(`"{expression}" expected at: "${place}"`);
  }
  const difference = compare(expandText(left.text, run, depth + 1), expandText(right.text, run, depth + 1), byLevel);
  const isTrue = holds(operator, difference);
  const rest = body.slice(skipSpace(body, right.end));
  if (rest === '') return isTrue ? 'true' : '';
  if (!/^[?:]/.test(rest)) throw new ExpansionError(`"?" or ":" expected at: "${context(`}${rest}`, 0, 1)}"`);
  const { yes, no } = branches(rest);
  return expandText((isTrue ? yes : no) ?? '', run, depth + 1);
}

/** How much is shown of what stands behind the place. */
const contextLength = 20;

/** Shows where the reader stumbled over what begins at `from`, as Postfix does. */
function context(text: string, from: number, at: number): string {
  const before = text.slice(from, at).trimEnd();
  return `...${before}>>>${text.slice(at, at + contextLength)}`;
}

function expandName(name: string, rest: string, run: Run, depth: number): string {
  const raw = run.source(name);
  if (rest === '') {
    if (raw === undefined) run.undefinedNames.push(name);
    return raw === undefined ? '' : expandNamed(name, raw, run, depth);
  }
  const { yes, no } = branches(rest);
  const isSet = raw !== undefined && expandNamed(name, raw, run, depth) !== '';
  return expandText((isSet ? yes : no) ?? '', run, depth + 1);
}

function expandNamed(name: string, raw: string, run: Run, depth: number): string {
  if (depth >= maxDepth) throw new ValueError(`unreasonable macro call nesting: "${name}"`);
  return expandText(raw, run, depth + 1);
}

function expandBracketed(
  text: string,
  open: number,
  run: Run,
  depth: number,
): { readonly text: string; readonly end: number } {
  const end = closingIndex(text, open);
  if (end < 0) throw new ExpansionError(`truncated macro reference: "${text}"`);
  if (end === open + 2) throw new ExpansionError(`empty macro name: "${text}"`);
  const body = text.slice(open + 1, end - 1).trimStart();
  const whole = text.slice(open - 1, end);
  const call = /^domain_to_ascii\s*(?=\{)/.exec(body);
  if (call !== null)
    return { text: domainToAscii(expandText(braced(body, call[0].length)?.text.trim() ?? '', run, depth + 1)), end };
  if (body.startsWith('{')) return { text: expandCondition(body, whole, run, depth), end };
  const name = /^[A-Za-z0-9_]*/.exec(body)?.[0] ?? '';
  const rest = body.slice(skipSpace(body, name.length));
  if (rest !== '' && !/^[?:]/.test(rest)) {
    throw new ExpansionError(`attribute name syntax error at: "${context(body, 0, name.length)}"`);
  }
  return { text: expandName(name, rest, run, depth), end };
}

function expandText(text: string, run: Run, depth: number): string {
  if (!text.includes('$')) return text;
  let out = '';
  let at = 0;
  for (;;) {
    const dollar = text.indexOf('$', at);
    if (dollar < 0) return out + text.slice(at);
    out += text.slice(at, dollar);
    const next = text.charAt(dollar + 1);
    if (next === '$') {
      out += '$';
      at = dollar + 2;
    } else if (next === '{' || next === '(') {
      const part = expandBracketed(text, dollar + 1, run, depth);
      out += part.text;
      at = part.end;
    } else {
      const name = /^[A-Za-z0-9_]+/.exec(text.slice(dollar + 1))?.[0];
      if (name === undefined) throw new ExpansionError(`empty macro name: "${text}"`);
      out += expandName(name, '', run, depth);
      at = dollar + 1 + name.length;
    }
  }
}

/** Expands a value; unknown names become empty and are listed. */
export function expandValue(text: string, source: ValueSource): Expansion {
  const run = { source, undefinedNames: [] };
  try {
    return { kind: 'ok', text: expandText(text, run, 0), undefinedNames: run.undefinedNames };
  } catch (error) {
    if (error instanceof ExpansionError) {
      return { kind: 'failed', reason: error.message, isSyntax: !(error instanceof ValueError) };
    }
    throw error;
  }
}
