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

export class SessionTranscript {
  readonly #options: TranscriptOptions;
  #lines: string[] = [];
  #isDue = false;
  #isBounce = false;
  /** `lost connection` and the like. */
  reason = '';

  constructor(options: TranscriptOptions) {
    this.#options = options;
  }

  heard(line: string): void {
    this.#lines.push(`In:  ${line}`);
  }

  said(line: string): void {
    this.#lines.push(`Out: ${line}`);
  }

  /** Something went wrong, of a word of notify_classes. */
  note(trouble: string): void {
    if (this.#options.classes.has(trouble)) this.#isDue = true;
    if (trouble === 'bounce') this.#isBounce = true;
  }

  /** Begins anew where more than `threshold` lines were said; what went wrong is told first, if `mayTell`. */
  reset(threshold: number, mayTell = true): void {
    if (this.#lines.length <= threshold) return;
    const { peer, notify } = this.#options;
    if (this.#isDue && mayTell) {
      notify({ peer: peer(), lines: this.#lines, reason: this.reason, isBounce: this.#isBounce });
    }
    this.#lines = [];
    this.forgive();
  }

  /** What went wrong so far is not worth telling any more; what was said still is. */
  forgive(): void {
    this.#isDue = false;
    this.#isBounce = false;
  }
}
