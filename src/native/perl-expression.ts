/** Perl-compatible regular expressions by the system's PCRE2 library, pcre2api(3). */
import { exceededText, longSubjectBytes, MatchFailure, searchBounded } from './bounded-search.ts';
import { koffi } from './koffi.ts';
import type { NativeExpression } from './posix-expression.ts';

export interface PerlOptions {
  readonly ignoreCase: boolean;
  readonly multiline: boolean;
  readonly dotAll: boolean;
  readonly extended: boolean;
  readonly anchored: boolean;
  readonly dollarEndOnly: boolean;
  readonly ungreedy: boolean;
}

const optionBits: ReadonlyMap<keyof PerlOptions, number> = new Map([
  ['ignoreCase', 0x8],
  ['dollarEndOnly', 0x10],
  ['dotAll', 0x20],
  ['extended', 0x80],
  ['multiline', 0x400],
  ['ungreedy', 0x40000],
  ['anchored', 0x80000000],
]);
const PCRE2_USE_OFFSET_LIMIT = 0x800000;
const PCRE2_INFO_CAPTURECOUNT = 4;
const PCRE2_JIT_COMPLETE = 1;
const PCRE2_NO_JIT = 0x2000;
const PCRE2_ERROR_NOMATCH = -1;
const PCRE2_ERROR_JIT_STACKLIMIT = -46;
const limitErrors = [-47, -53, -63];
/** PCRE2_UNSET: a group that took no part in the match. */
const unset = 0xffff_ffff_ffff_ffffn;
const maxErrorText = 256;
const nul = Buffer.alloc(1);

interface Calls {
  compile(
    pattern: Buffer,
    length: number,
    options: number,
    error: Int32Array,
    offset: BigUint64Array,
    context: null,
  ): unknown;
  compileFast(code: unknown, options: number): number;
  info(code: unknown, what: number, where: Uint32Array): number;
  createMatch(code: unknown, context: null): unknown;
  createContext(context: null): unknown;
  limitOffset(context: unknown, last: number): number;
  offsets(match: unknown): unknown;
  execute(
    code: unknown,
    subject: Buffer,
    length: number,
    start: number,
    options: number,
    match: unknown,
    context: unknown,
  ): number;
  errorText(code: number, text: Buffer, size: number): number;
  freeContext(context: unknown): void;
  freeMatch(match: unknown): void;
  freeCode(code: unknown): void;
}

let calls: Calls | 'absent' | undefined;

/** Bound once, on first use; the library may not be there. */
function pcreCalls(): Calls | 'absent' {
  if (calls !== undefined) return calls;
  try {
    const library = koffi().load('libpcre2-8.so.0');
    calls = {
      compile: library.func(
        'void *pcre2_compile_8(const void *p, size_t n, uint32_t options, void *error, void *offset, void *context)',
      ),
      compileFast: library.func('int pcre2_jit_compile_8(void *code, uint32_t options)'),
      info: library.func('int pcre2_pattern_info_8(const void *code, uint32_t what, void *where)'),
      createMatch: library.func('void *pcre2_match_data_create_from_pattern_8(const void *code, void *context)'),
      createContext: library.func('void *pcre2_match_context_create_8(void *context)'),
      limitOffset: library.func('int pcre2_set_offset_limit_8(void *context, size_t last)'),
      offsets: library.func('void *pcre2_get_ovector_pointer_8(void *match)'),
      execute: library.func(
        'int pcre2_match_8(const void *code, const void *subject, size_t n, size_t start, uint32_t options, void *match, void *context)',
      ),
      errorText: library.func('int pcre2_get_error_message_8(int code, void *text, size_t size)'),
      freeContext: library.func('void pcre2_match_context_free_8(void *context)'),
      freeMatch: library.func('void pcre2_match_data_free_8(void *match)'),
      freeCode: library.func('void pcre2_code_free_8(void *code)'),
    };
  } catch {
    // koffi's reason would be a path list; all that matters is that there is none.
    calls = 'absent';
  }
  return calls;
}

/** Whether the library is installed. */
export function hasPerlExpressions(): boolean {
  return pcreCalls() !== 'absent';
}

/** The expression; or what is wrong with it, and where. `matches` and `captures` throw a MatchFailure at limits. */
export function compilePerlExpression(
  pattern: Buffer,
  options: PerlOptions,
): NativeExpression | { readonly offset: number; readonly problem: string } {
  const library = pcreCalls();
  if (library === 'absent') throw new Error('libpcre2-8.so.0 is not installed');
  let bits = 0;
  for (const [name, bit] of optionBits) if (options[name]) bits += bit;
  const code = compileCode(library, pattern, bits);
  if ('problem' in code) return code;
  // what depends on where the search began can't be searched in parts
  const isWhole = options.anchored || /\\G|\(\*/.test(pattern.toString('latin1'));
  return expressionOf(
    library,
    code,
    isWhole ? undefined : () => compileCode(library, pattern, bits + PCRE2_USE_OFFSET_LIMIT),
  );
}

interface Code {
  readonly code: unknown;
}

function compileCode(
  library: Calls,
  pattern: Buffer,
  bits: number,
): Code | { readonly offset: number; readonly problem: string } {
  // The NUL only keeps an empty pattern from being passed as no pattern.
  const bytes = Buffer.concat([pattern, nul]);
  const error = new Int32Array(1);
  const offset = new BigUint64Array(1);
  const code = library.compile(bytes, bytes.length - 1, bits, error, offset, null);
  if (code === null) return { offset: Number(offset[0]), problem: messageOf(library, error[0] ?? 0) };
  library.compileFast(code, PCRE2_JIT_COMPLETE);
  return { code };
}

function messageOf(library: Calls, code: number): string {
  const text = Buffer.alloc(maxErrorText);
  const length = library.errorText(code, text, text.length);
  return length < 0 ? `error ${code}` : text.toString('utf8', 0, length);
}

/** `compileLong`: the same for a search in parts, compiled for the first long subject. */
function expressionOf(
  library: Calls,
  { code }: Code,
  compileLong: (() => ReturnType<typeof compileCode>) | undefined,
): NativeExpression {
  const count = new Uint32Array(1);
  library.info(code, PCRE2_INFO_CAPTURECOUNT, count);
  const groups = count[0] ?? 0;
  const match = library.createMatch(code, null);
  const offsets = new BigUint64Array(koffi().view(library.offsets(match), (groups + 1) * 16));
  let long: Code | undefined;
  let context: unknown;

  const search = (subject: Buffer, { code: compiled }: Code, first = 0): boolean => {
    const run = (bits: number): number =>
      library.execute(compiled, subject, subject.length - 1, first, bits, match, compiled === code ? null : context);
    let result = run(0);
    if (result === PCRE2_ERROR_JIT_STACKLIMIT) result = run(PCRE2_NO_JIT);
    if (result >= 0) return true;
    if (result === PCRE2_ERROR_NOMATCH) return false;
    throw new MatchFailure(limitErrors.includes(result) ? exceededText : `unknown re_exec error: ${result}`);
  };
  const longCode = (): Code | undefined => {
    if (long !== undefined || compileLong === undefined) return long;
    const compiled = compileLong();
    if ('problem' in compiled) return undefined;
    context = library.createContext(null);
    long = compiled;
    return long;
  };
  const matches = (subject: Buffer): boolean => {
    const inParts = subject.length <= longSubjectBytes ? undefined : longCode();
    if (inParts === undefined) return search(subject, { code });
    return searchBounded(subject.length - 1, (first, last) => {
      library.limitOffset(context, last);
      return search(subject, inParts, first);
    });
  };
  return {
    groups,
    matches,
    captures: (subject) => {
      if (!matches(subject)) return undefined;
      return Array.from({ length: groups + 1 }, (_, i) => {
        const start = offsets[i * 2];
        if (start === undefined || start === unset) return Buffer.alloc(0);
        return subject.subarray(Number(start), Number(offsets[i * 2 + 1]));
      });
    },
    free: () => {
      library.freeMatch(match);
      library.freeCode(code);
      if (long === undefined) return;
      library.freeCode(long.code);
      library.freeContext(context);
    },
  };
}
