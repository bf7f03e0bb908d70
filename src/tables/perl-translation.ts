/**
 * Perl-compatible regular expressions as JavaScript writes them, for systems without PCRE2. pcre_table(5), pcre2syntax(3)
 *
 * What has no exact counterpart (possessive repeats, atomic groups, back references, recursion, conditions, verbs) is
 * refused, never misread. One thing differs: of a group within a repeat JavaScript forgets what earlier rounds matched.
 */
import type { PerlOptions } from '#native';
import { classEscapes, outsideEscapes, posixClasses } from './perl-escapes.ts';
import { caseGroup, changedModes, type Modes } from './perl-modes.ts';

interface Group {
  /** The modes to go back to behind the group. */
  readonly outer: Modes;
  /** Output of `(?i:…)` around the rest of an alternative. */
  readonly wrapper: string;
}

export class SyntaxProblem extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

class Translator {
  readonly #text: string;
  readonly #options: PerlOptions;
  #at = 0;
  #out = '';
  #modes: Modes;
  #wrapper = '';
  readonly #open: Group[] = [];

  constructor(text: string, options: PerlOptions) {
    this.#text = text;
    this.#options = options;
    this.#modes = options;
  }

  translate(): string {
    while (this.#at < this.#text.length) this.#step();
    if (this.#open.length > 0) throw new SyntaxProblem('missing closing parenthesis', this.#text.length);
    if (this.#wrapper !== '') this.#out += ')';
    return this.#options.anchored ? `(?<![^])(?:${this.#out})` : this.#out;
  }

  #step(): void {
    const char = this.#text.charAt(this.#at);
    const { multiline, dotAll, extended } = this.#modes;
    if (extended && /\s/.test(char)) {
      this.#at += 1;
      return;
    }
    if (extended && char === '#') {
      const end = this.#text.indexOf('\n', this.#at);
      this.#at = end < 0 ? this.#text.length : end + 1;
      return;
    }
    switch (char) {
      case '\\':
        return this.#escape();
      case '[':
        return this.#bracket();
      case '(':
        return this.#openGroup();
      case ')':
        return this.#closeGroup();
      case '|':
        // A mode that was set inside an alternative holds for those behind it too.
        this.#out += this.#wrapper === '' ? '|' : `)|${this.#wrapper}`;
        break;
      case '.':
        this.#out += dotAll ? '[^]' : String.raw`[^\n]`;
        break;
      case '^':
        // not behind a line end that ends the text
        this.#out += multiline ? String.raw`(?:(?<![^])|(?<=\n)(?=[^]))` : '(?<![^])';
        break;
      case '$':
        if (multiline) this.#out += String.raw`(?![^\n])`;
        else this.#out += this.#options.dollarEndOnly ? '(?![^])' : String.raw`(?=\n?(?![^]))`;
        break;
      case '*':
      case '+':
      case '?':
      case '{':
        return this.#repeat();
      case ']':
      case '}':
        this.#out += `\\${char}`;
        break;
      default:
        this.#out += char === '/' ? String.raw`\/` : char;
    }
    this.#at += 1;
  }

  #repeat(): void {
    const [whole, operator = ''] = /^([*+?]|\{(?:\d+(?:,\d*)?|,\d+)\})[+?]?/.exec(this.#text.slice(this.#at)) ?? [];
    if (whole === undefined) {
      this.#out += String.raw`\{`;
      this.#at += 1;
      return;
    }
    if (/(?:^|\(\??[:=!<]*|\|)$/.test(this.#out) && !/\\[(|]$/.test(this.#out)) {
      throw new SyntaxProblem('quantifier does not follow a repeatable item', this.#at + operator.length - 1);
    }
    if (whole.length > operator.length && whole.endsWith('+')) {
      throw new SyntaxProblem('possessive repeats are not supported', this.#at);
    }
    // Versions of PCRE2 differ on it.
    if (operator.startsWith('{,')) throw new SyntaxProblem('a repeat without minimum is not supported', this.#at);
    const lazy = whole.length > operator.length && whole.endsWith('?');
    this.#out += operator;
    if (lazy !== this.#options.ungreedy) this.#out += '?';
    this.#at += whole.length;
  }

  #escape(): void {
    const start = this.#at;
    const char = this.#text.charAt(start + 1);
    this.#at += 2;
    if (char === '') throw new SyntaxProblem(String.raw`\ at end of pattern`, this.#text.length);
    if (char === 'Q') {
      const end = this.#text.indexOf(String.raw`\E`, this.#at);
      const quoted = this.#text.slice(this.#at, end < 0 ? undefined : end);
      this.#out += quoted.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
      this.#at = end < 0 ? this.#text.length : end + 2;
      return;
    }
    if (char === 'E') return;
    const rest = this.#text.slice(this.#at);
    const hex = /^\{([0-9A-Fa-f]+)\}/.exec(rest);
    if (char === 'x' && hex !== null) {
      this.#out += codeUnit(Number.parseInt(hex[1] ?? '', 16));
      this.#at += hex[0].length;
      return;
    }
    if (/[KCXRpPLlUukgco\d]/.test(char)) throw new SyntaxProblem(`\\${char} is not supported here`, start);
    this.#out += outsideEscapes[char] ?? (/[A-Za-z0-9]/.test(char) ? `\\${char}` : escaped(char));
  }

  #bracket(): void {
    const start = this.#at;
    const text = this.#text;
    this.#at += 1;
    const isNegated = text.charAt(this.#at) === '^';
    if (isNegated) this.#at += 1;
    let body = '';
    for (let isFirst = true; ; isFirst = false) {
      const char = text.charAt(this.#at);
      if (char === '') throw new SyntaxProblem('missing terminating ] for character class', text.length);
      if (char === ']' && !isFirst) break;
      const named = /^\[:(\^?)(\w+):\]/.exec(text.slice(this.#at));
      if (named !== null) {
        const members = posixClasses[named[2] ?? ''];
        if (members === undefined || named[1] === '^') throw new SyntaxProblem('unknown POSIX class name', this.#at);
        body += members;
        this.#at += named[0].length;
      } else if (char === '\\') {
        const next = text.charAt(this.#at + 1);
        const hex = /^\\x\{([0-9A-Fa-f]+)\}/.exec(text.slice(this.#at));
        if (hex !== null) {
          body += codeUnit(Number.parseInt(hex[1] ?? '', 16));
          this.#at += hex[0].length;
          continue;
        }
        if (/[SHVbBRXNpP\dco]/.test(next)) throw new SyntaxProblem(`\\${next} is not supported here`, this.#at);
        body += classEscapes[next] ?? (/[A-Za-z0-9]/.test(next) ? `\\${next}` : `\\${next === '' ? '\\' : next}`);
        this.#at += 2;
      } else {
        body += char === '[' || char === ']' || char === '/' ? `\\${char}` : char;
        this.#at += 1;
      }
    }
    this.#at += 1;
    if (body === '') throw new SyntaxProblem('missing terminating ] for character class', start);
    this.#out += `[${isNegated ? '^' : ''}${body}]`;
  }

  #push(opening: string, length: number): void {
    this.#open.push({ outer: this.#modes, wrapper: this.#wrapper });
    this.#wrapper = '';
    this.#out += opening;
    this.#at += length;
  }

  #openGroup(): void {
    const rest = this.#text.slice(this.#at);
    if (rest.startsWith('(?#')) {
      const end = rest.indexOf(')');
      if (end < 0) throw new SyntaxProblem('missing ) after (?# comment', this.#text.length);
      this.#at += end + 1;
      return;
    }
    if (rest.startsWith('(*')) throw new SyntaxProblem('verbs are not supported', this.#at);
    if (!rest.startsWith('(?')) return this.#push('(', 1);
    const plain = /^\(\?(?:[:=!]|<[=!])/.exec(rest)?.[0];
    if (plain !== undefined) return this.#push(plain, plain.length);
    const named = /^\(\?(?:P?<(\w+)>|'(\w+)')/.exec(rest);
    if (named !== null) return this.#push(`(?<${named[1] ?? named[2] ?? ''}>`, named[0].length);
    const [whole, on = '', off = '', end] = /^\(\?([imsx]*)(?:-([imsx]*))?([:)])/.exec(rest) ?? [];
    if (whole === undefined) throw new SyntaxProblem('unrecognized character after (? or (?-', this.#at + 2);
    const outer = this.#modes;
    if (end === ':') {
      this.#push('', whole.length);
      this.#modes = changedModes(outer, on, off);
      this.#out += caseGroup(outer, this.#modes) ?? '(?:';
      return;
    }
    this.#at += whole.length;
    this.#modes = changedModes(outer, on, off);
    const opening = caseGroup(outer, this.#modes);
    if (opening === undefined) return;
    if (this.#wrapper !== '') this.#out += ')';
    this.#wrapper = this.#modes.ignoreCase === this.#caseOutside() ? '' : opening;
    this.#out += this.#wrapper;
  }

  /** Whether case is ignored outside the wrapper of the present group. */
  #caseOutside(): boolean {
    return this.#open.at(-1)?.outer.ignoreCase ?? this.#options.ignoreCase;
  }

  #closeGroup(): void {
    const group = this.#open.pop();
    if (group === undefined) throw new SyntaxProblem('unmatched closing parenthesis', this.#at);
    this.#out += this.#wrapper === '' ? ')' : '))';
    this.#modes = group.outer;
    this.#wrapper = group.wrapper;
    this.#at += 1;
  }
}

function codeUnit(code: number): string {
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, '0')}` : String.fromCodePoint(code);
}

function escaped(char: string): string {
  return /[\\^$.*+?()[\]{}|/]/.test(char) ? `\\${char}` : char;
}

/** The expression for JavaScript. Throws a SyntaxProblem. */
export function translatePerl(text: string, options: PerlOptions): string {
  return new Translator(text, options).translate();
}
