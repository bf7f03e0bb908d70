/** What was said in a session: told to the postmaster when something of the kinds he asked for went wrong. notify_classes */
import { type ReplyText, SessionTranscript, type TranscriptOptions } from '#smtp';

/** Words of notify_classes for what goes wrong in a session. */
export type TroubleClass = 'bounce' | 'data' | 'policy' | 'protocol' | 'resource' | 'software';

/** A reply; `trouble`: what it stands for, where its text does not say so. */
export interface JudgedReply extends ReplyText {
  readonly trouble?: TroubleClass | 'none';
}

export class Transcript {
  readonly #session: SessionTranscript;

  constructor(options: TranscriptOptions) {
    this.#session = new SessionTranscript(options);
  }

  set reason(how: string) {
    this.#session.reason = how;
  }

  heard(line: string): void {
    this.#session.heard(line);
  }

  said(code: number, lines: readonly string[]): void {
    for (const [at, line] of lines.entries()) this.#session.said(`${code}${at + 1 < lines.length ? '-' : ' '}${line}`);
  }

  /** A reply as it was meant, before it is made soft or rewritten. */
  judge(reply: JudgedReply): void {
    const trouble = reply.trouble ?? (reply.code >= 400 ? troubleOf(reply) : 'none');
    if (trouble !== 'none') this.#session.note(trouble);
  }

  /** What went wrong so far is not worth telling any more. */
  forgive(): void {
    this.#session.forgive();
  }

  /** Begins anew where more than `threshold` lines were said; what went wrong is told first. */
  reset(threshold: number): void {
    this.#session.reset(threshold);
  }
}

const kinds: readonly (readonly [pattern: RegExp, kind: TroubleClass])[] = [
  [/^452 4\.3\.1 |Error: queue file write error$/, 'resource'],
  [/^4\d\d 4\.3\.[05] (?:Server configuration error$|Error: |\S+ Server local error$)/, 'software'],
  [/Temporary lookup (?:failure|error)$|Server local data error$/, 'data'],
  [/Error: (?:message file too big|too many hops)$| rejected: User unknown in [^]* table$/, 'bounce'],
  [/^\d+ \S+ <[^]*>: [^]* rejected: |^452 4\.5\.3 |VRFY command is disabled$|access denied for /, 'policy'],
  [/^50\d |^555 |^554 5\.5\.[01] |Error: too many errors$/, 'protocol'],
];

/** The texts of a reply say which part of the server wrote it. */
export function troubleOf({ code, lines }: ReplyText): TroubleClass {
  const text = `${code} ${lines[0] ?? ''}`;
  return kinds.find(([pattern]) => pattern.test(text))?.[1] ?? 'policy';
}
