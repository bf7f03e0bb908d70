/** The C library's regular expressions, regcomp(3): leftmost-longest, over bytes, in its own words for what is wrong. */
import { longSubjectBytes, searchBounded } from './bounded-search.ts';
import { koffi } from './koffi.ts';

export interface PosixOptions {
  readonly extended: boolean;
  readonly ignoreCase: boolean;
  /** `.` and `[^…]` match no line end, `^` and `$` match at line ends. */
  readonly newlines: boolean;
}

/** A compiled expression. Subjects are bytes that end with a NUL. `matches` and `captures` throw a MatchFailure at limits. */
export interface NativeExpression {
  readonly groups: number;
  matches(subject: Buffer): boolean;
  /** What each group matched, the whole first; empty where a group had no part in it. */
  captures(subject: Buffer): readonly Buffer[] | undefined;
  /** Gives the memory back; the expression can't be used any more. */
  free(): void;
}

const REG_EXTENDED = 1;
const REG_ICASE = 2;
const REG_NEWLINE = 4;
const REG_STARTEND = 4;
/** Size of `regex_t`, and where its `re_nsub` stands, on 64-bit Linux. */
const sizeOfRegex = 64;
const offsetOfGroups = 48;
const maxErrorText = 256;

interface Calls {
  compile(regex: unknown, pattern: Buffer, flags: number): number;
  execute(regex: unknown, subject: Buffer, count: number, matches: Int32Array | null, flags: number): number;
  search(regex: unknown, subject: Buffer, length: number, first: number, range: number, registers: null): number;
  errorText(code: number, regex: unknown, text: Buffer, size: number): number;
  free(regex: unknown): void;
}

let calls: Calls | undefined;

/** Bound once, on first use. */
function libcCalls(): Calls {
  if (calls !== undefined) return calls;
  const libc = koffi().load('libc.so.6');
  calls = {
    compile: libc.func('int regcomp(void *preg, const void *pattern, int flags)'),
    execute: libc.func('int regexec(const void *preg, const void *string, size_t count, void *matches, int flags)'),
    search: libc.func(
      'int re_search(const void *preg, const void *string, int length, int start, int range, void *registers)',
    ),
    errorText: libc.func('size_t regerror(int code, const void *preg, void *text, size_t size)'),
    free: libc.func('void regfree(void *preg)'),
  };
  return calls;
}

/** The expression, or what is wrong with it; `pattern` ends with a NUL. */
export function compilePosixExpression(pattern: Buffer, options: PosixOptions): NativeExpression | string {
  const libc = libcCalls();
  const flags =
    (options.extended ? REG_EXTENDED : 0) | (options.ignoreCase ? REG_ICASE : 0) | (options.newlines ? REG_NEWLINE : 0);
  const regex: unknown = koffi().alloc('uint8_t', sizeOfRegex);
  const code = libc.compile(regex, pattern, flags);
  if (code !== 0) {
    const text = Buffer.alloc(maxErrorText);
    const length = libc.errorText(code, regex, text, text.length);
    koffi().free(regex);
    return text.toString('utf8', 0, Math.min(length, text.length) - 1);
  }
  const groups = Number(new DataView(koffi().view(regex, sizeOfRegex)).getBigUint64(offsetOfGroups, true));
  const offsets = new Int32Array((groups + 1) * 2);
  /** Where the match begins; -1: there is none. The time may grow with the square of the length, and more. */
  const placeIn = (subject: Buffer, length: number): number => {
    let place = -1;
    searchBounded(length, (first, last) => {
      place = libc.search(regex, subject, length, first, last - first, null);
      return place >= 0;
    });
    return place;
  };
  return {
    groups,
    matches: (subject) => {
      if (subject.length <= longSubjectBytes) return libc.execute(regex, subject, 0, null, 0) === 0;
      return placeIn(subject, subject.indexOf(0)) >= 0;
    },
    captures: (subject) => {
      const length = subject.indexOf(0);
      const place = length < longSubjectBytes ? 0 : placeIn(subject, length);
      if (place < 0) return undefined;
      [offsets[0], offsets[1]] = [place, length];
      if (libc.execute(regex, subject, groups + 1, offsets, REG_STARTEND) !== 0) return undefined;
      return Array.from({ length: groups + 1 }, (_, i) => {
        const start = offsets[i * 2] ?? -1;
        return start < 0 ? Buffer.alloc(0) : subject.subarray(start, offsets[i * 2 + 1]);
      });
    },
    free: () => {
      libc.free(regex);
      koffi().free(regex);
    },
  };
}
