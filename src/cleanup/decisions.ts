/** What access tables and checks have decided about a message so far. access(5), header_checks(5) */
import { bytesOf, type SubmissionAction } from '#message';

export class Decisions {
  isHeld = false;
  isDiscarded = false;
  #contentFilter: string;
  /** Who gets it instead of its recipients. */
  redirect: string | undefined;
  /** Who gets it too. */
  readonly bcc: string[] = [];
  readonly #prepended: string[] = [];

  constructor(contentFilter: string) {
    this.#contentFilter = contentFilter;
  }

  /** `transport:destination`; '' for none, and for mail that is redirected: it passes no filter. */
  get contentFilter(): string {
    return this.redirect === undefined ? this.#contentFilter : '';
  }

  apply(action: SubmissionAction): void {
    switch (action.kind) {
      case 'hold':
        this.isHeld = true;
        return;
      case 'discard':
        this.isDiscarded = true;
        return;
      case 'filter':
        this.#contentFilter = action.destination;
        return;
      case 'redirect':
        this.redirect = action.address;
        return;
      case 'bcc':
        this.bcc.push(action.address);
        return;
      case 'prepend':
        this.#prepended.push(action.header);
    }
  }

  /** Header fields to put in front of what is in front anyway. */
  above(top: Buffer): Buffer {
    if (this.#prepended.length === 0) return top;
    return Buffer.concat([bytesOf(this.#prepended.map((line) => `${line}\r\n`).join('')), top]);
  }
}
