/** `regexp:`, `pcre:` and `cidr:` tables. regexp_table(5), pcre_table(5), cidr_table(5) */
import { ipInNetwork, parseCidr, parseIp } from '#address';
import { missing } from './memory-table.ts';
import { evaluateRules, type PatternReader, readRules, type Rule, substitute } from './pattern-rules.ts';
import type { Table, TableUse } from './table.ts';

/** `/pattern/flags` with any delimiter; the flags toggle. */
function readDelimited(
  text: string,
): { readonly pattern: string; readonly flags: string; readonly rest: string } | string {
  const delimiter = text.charAt(0);
  if (delimiter === '' || /[\w\s]/.test(delimiter)) return `no delimiter at "${text.slice(0, 20)}"`;
  let end = 1;
  while (end < text.length && text.charAt(end) !== delimiter) end += text.charAt(end) === '\\' ? 2 : 1;
  if (end >= text.length) return `no closing regexp delimiter "${delimiter}"`;
  const match = /^([A-Za-z]*)(?:\s+([^]*))?$/.exec(text.slice(end + 1));
  if (match === null) return `unknown regexp option "${text.slice(end + 1, end + 2)}"`;
  return { pattern: text.slice(1, end), flags: match[1] ?? '', rest: match[2] ?? '' };
}

const posixClasses: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: String.raw`\s`,
  blank: String.raw` \t`,
  punct: String.raw`!-\/:-@\[-` + '`{-~',
  print: String.raw`\x20-\x7e`,
  graph: String.raw`\x21-\x7e`,
  cntrl: String.raw`\x00-\x1f\x7f`,
  xdigit: '0-9A-Fa-f',
};

/** POSIX bracket expressions as JavaScript writes them; a text says what is wrong. */
function translateBrackets(pattern: string): string {
  let out = '';
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern.charAt(i);
    if (char === '\\') {
      const next = pattern.charAt(i + 1);
      out += next === '<' || next === '>' ? String.raw`\b` : char + next;
      i += 1;
    } else if (char === '[') {
      const end = bracketEnd(pattern, i);
      out += translateBracket(pattern.slice(i + 1, end));
      i = end;
    } else out += char;
  }
  return out;
}

function bracketEnd(pattern: string, open: number): number {
  let i = open + 1;
  if (pattern.charAt(i) === '^') i += 1;
  if (pattern.charAt(i) === ']') i += 1;
  while (i < pattern.length && pattern.charAt(i) !== ']') {
    if (pattern.startsWith('[:', i)) i = Math.max(i, pattern.indexOf(':]', i) + 1);
    i += 1;
  }
  return i;
}

function translateBracket(inner: string): string {
  const negated = inner.startsWith('^');
  const body = (negated ? inner.slice(1) : inner)
    .replaceAll('\\', String.raw`\\`)
    .replaceAll(/\[:(\w+):\]/g, (_, name: string) => `\u0000${name}\u0000`)
    .replaceAll('[', String.raw`\[`)
    .replace(/^\]/, String.raw`\]`)
    // oxlint-disable-next-line no-control-regex -- NUL marks a class name above
    .replaceAll(/\u0000(\w+)\u0000/g, (_, name: string) => posixClasses[name] ?? '');
  return `[${negated ? '^' : ''}${body}]`;
}

function compile(source: string, flags: string): RegExp | string {
  try {
    return new RegExp(source, flags);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function matcherOf(expression: RegExp): (key: string) => readonly (string | undefined)[] | undefined {
  return (key) => expression.exec(key) ?? undefined;
}

/** POSIX extended syntax; flags i (on), m (off), x (on) toggle. */
const readRegexp: PatternReader = (text) => {
  const read = readDelimited(text);
  if (typeof read === 'string') return read;
  const unknown = /[^imx]/.exec(read.flags)?.[0];
  if (unknown !== undefined) return `unknown regexp option "${unknown}"`;
  const count = (flag: string): number => read.flags.split(flag).length - 1;
  const flags = `${count('i') % 2 === 0 ? 'i' : ''}${count('m') % 2 === 0 ? 's' : 'm'}`;
  const expression = compile(translateBrackets(read.pattern), flags);
  return typeof expression === 'string' ? expression : { matches: matcherOf(expression), rest: read.rest, groups: 9 };
};

/** Perl syntax, as far as JavaScript shares it; flags i, s (on), m, x, A, E, U toggle. */
const readPcre: PatternReader = (text) => {
  const read = readDelimited(text);
  if (typeof read === 'string') return read;
  const unknown = /[^imsxAEUX]/.exec(read.flags)?.[0];
  if (unknown !== undefined) return `unknown PCRE option "${unknown}": skipping this rule`;
  const on = (flag: string): boolean => (read.flags.split(flag).length - 1) % 2 === 1;
  let source = translatePerl(read.pattern);
  let ignoreCase = !on('i');
  const inline = /^\(\?([imsx]*)(?:-([imsx]+))?\)/.exec(source);
  if (inline !== null) {
    source = source.slice(inline[0].length);
    if (inline[1]?.includes('i') === true) ignoreCase = true;
    if (inline[2]?.includes('i') === true) ignoreCase = false;
  }
  if (on('x'))
    source = source.replaceAll(/\\[^]|\[(?:\\[^]|[^\]])*\]|\s+|#[^\n]*/g, (part) => (/^[\s#]/.test(part) ? '' : part));
  if (on('A')) source = `^(?:${source})`;
  const expression = compile(source, `${ignoreCase ? 'i' : ''}${on('s') ? '' : 's'}${on('m') ? 'm' : ''}`);
  return typeof expression === 'string' ? expression : { matches: matcherOf(expression), rest: read.rest, groups: 99 };
};

/** What Perl writes otherwise than JavaScript. */
function translatePerl(pattern: string): string {
  return translatePosixInPerl(pattern)
    .replaceAll(/\\A/g, '^')
    .replaceAll(/\\[zZ]/g, '$')
    .replaceAll(/\\h/g, String.raw`[ \t]`)
    .replaceAll(/\(\?<(?![=!])/g, '(?<')
    .replaceAll(/([*+?}])\+/g, '$1');
}

function translatePosixInPerl(pattern: string): string {
  return pattern.replaceAll(/\[:(\^?)(\w+):\]/g, (whole, negated: string, name: string) =>
    negated === '' ? (posixClasses[name] ?? whole) : whole,
  );
}

/** `net/len result`. */
const readCidr: PatternReader = (text) => {
  const [, pattern = '', rest = ''] = /^(\S+)(?:\s+([^]*))?$/.exec(text) ?? [];
  const parsed = parseCidr(pattern);
  if (parsed.kind === 'bad') return parsed.reason;
  if (parsed.kind === 'notAnAddress') return `bad address pattern: "${pattern}"`;
  const { network } = parsed;
  return {
    matches: (key) => {
      const address = parseIp(key);
      return address !== undefined && ipInNetwork(address, network) ? [] : undefined;
    },
    rest,
    groups: 0,
  };
};

/** Rules that a use forbids: substitution where results must not depend on the key. */
function checkSubstitution(
  rules: readonly Rule[],
  use: TableUse,
  name: string,
  warn: (text: string) => void,
): readonly Rule[] {
  const forbids = use.paranoid === true || use.noSubstitution === true;
  return rules.flatMap((rule): readonly Rule[] => {
    if (rule.kind === 'if') return [{ ...rule, rules: checkSubstitution(rule.rules, use, name, warn) }];
    const uses = /\$(?:\d|\{\d|\(\d)/.test(rule.result);
    if (uses && (forbids || rule.negated)) {
      warn(
        `${name}, line ${rule.line}: $number found in ${rule.negated ? 'negative pattern' : 'a table whose results must not depend on the key'}: skipping this rule`,
      );
      return [];
    }
    return [rule];
  });
}

function patternTable(
  name: string,
  path: string,
  use: TableUse,
  warn: (text: string) => void,
  read: PatternReader,
  what: string,
  substitutes: boolean,
): Table | string {
  const all = readRules(path, read, warn, what);
  if (typeof all === 'string') return all;
  const rules = substitutes ? checkSubstitution(all, use, name, warn) : all;
  return {
    name,
    acceptsPartialKeys: false,
    lookup: (key) => {
      const hit = evaluateRules(rules, key);
      if (hit === undefined) return missing;
      return { kind: 'found', value: substitutes ? substitute(hit.rule.result, hit.groups) : hit.rule.result };
    },
  };
}

export function regexpTable(name: string, path: string, use: TableUse, warn: (text: string) => void): Table | string {
  return patternTable(name, path, use, warn, readRegexp, 'regexp map', true);
}

export function pcreTable(name: string, path: string, use: TableUse, warn: (text: string) => void): Table | string {
  return patternTable(name, path, use, warn, readPcre, 'pcre map', true);
}

export function cidrTable(name: string, path: string, use: TableUse, warn: (text: string) => void): Table | string {
  return patternTable(name, path, use, warn, readCidr, 'cidr map', false);
}
