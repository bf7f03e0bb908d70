/** What was said in an SMTP session, kept for the postmaster in case something of the kinds he asked for goes wrong. postconf(5) notify_classes */

export interface SessionNotice {
  /** `name[address]`, with `:port` for a server. */
  readonly peer: string;
  /** `In:  …`, `Out: …` */
  readonly lines: readonly string[];
  /** Why it ended too early; '' when it did not. */
  readonly reason: string;
  /** Mail for somebody who does not exist was among it: that is bounce_notice_recipient's. */
  readonly isBounce: boolean;
}

export interface TranscriptOptions {
  readonly peer: () => string;
  /** notify_classes, in lower case. */
  readonly classes: ReadonlySet<string>;
  readonly notify: (notice: SessionNotice) => void;
}

/** Of a session's beginning as much is kept, and of its end. Characters, with what a line takes beside them. */
const keptEachMax = 100_000;
const lineOverhead = 50;

/** Lines in their order; of too many the middle is left out. A client chooses how much is said. */
class SpokenLines {
  #first: string[] = [];
  #last: string[] = [];
  #firstSize = 0;
  #lastSize = 0;
  #leftOut = 0;

  get count(): number {
    return this.#first.length + this.#leftOut + this.#last.length;
  }

  push(line: string): void {
    const size = line.length + lineOverhead;
    if (this.#lastSize === 0 && this.#firstSize + size <= keptEachMax) {
      this.#first.push(line);
      this.#firstSize += size;
      return;
    }
    this.#last.push(line);
    this.#lastSize += size;
    // not with each line: that would move all of them each time
    if (this.#lastSize > 1.5 * keptEachMax) this.#trim();
  }

  #trim(): void {
    let dropped = 0;
    for (const line of this.#last) {
      if (this.#lastSize <= keptEachMax) break;
      this.#lastSize -= line.length + lineOverhead;
      dropped += 1;
    }
    this.#last.splice(0, dropped);
    this.#leftOut += dropped;
  }

  all(): readonly string[] {
    const mark = this.#leftOut === 0 ? [] : ['', `(${this.#leftOut} lines are left out here)`, ''];
    return [...this.#first, ...mark, ...this.#last];
  }
}

export class SessionTranscript {
  readonly #options: TranscriptOptions;
  #lines = new SpokenLines();
  #isDue = false;
  #isBounce = false;
  /** `lost connection` and the like. */
  reason = '';

  constructor(options: TranscriptOptions) {
    this.#options = options;
  }

  heard(line: string): void {
    if (this.#options.classes.size > 0) this.#lines.push(`In:  ${line}`);
  }

  said(line: string): void {
    if (this.#options.classes.size > 0) this.#lines.push(`Out: ${line}`);
  }

  /** Something went wrong, of a word of notify_classes. */
  note(trouble: string): void {
    if (this.#options.classes.has(trouble)) this.#isDue = true;
    if (trouble === 'bounce') this.#isBounce = true;
  }

  /** Begins anew where more than `threshold` lines were said; what went wrong is told first, if `mayTell`. */
  reset(threshold: number, mayTell = true): void {
    if (this.#lines.count <= threshold) return;
    const { peer, notify } = this.#options;
    if (this.#isDue && mayTell) {
      notify({ peer: peer(), lines: this.#lines.all(), reason: this.reason, isBounce: this.#isBounce });
    }
    this.#lines = new SpokenLines();
    this.forgive();
  }

  /** What went wrong so far is not worth telling any more; what was said still is. */
  forgive(): void {
    this.#isDue = false;
    this.#isBounce = false;
  }
}
