/**
 * A mail transaction with a filter, a reply for each command. What the filter answers goes on to the client; where that
 * makes no sense, or nothing comes, our own temporary failure takes its place. SMTPD_PROXY_README
 */
import type { MaybePromise } from '#message';
import { DotStuffer } from '#smtp';
import { type FilterConnection, openConnection, type Trouble } from './connection.ts';
import type { FilterSettings } from './settings.ts';
import { type ForwardedAttributes, xforwardCommands } from './xforward.ts';

/** The first digit that a reply must have; `any`: all are as good. */
export type Expected = '2' | '3' | 'any';

/** A message on its way through a filter. Its owner opens it first and closes it last. */
export interface FilteredMail {
  /** What was answered last, in whole lines, for the client. */
  readonly reply: readonly string[];
  /** The filter can't be talked to (any more): nothing it is given has an effect. */
  readonly hasFailed: boolean;
  /** What it said last was no answer to what it was asked: `reply` is ours. */
  readonly isConfused: boolean;
  /** Begins with the MAIL command. False: refused, see `reply`. */
  open(): MaybePromise<boolean>;
  /** RCPT or DATA. False: refused, see `reply`. */
  command(expected: Expected, line: string): MaybePromise<boolean>;
  /** Content with CRLF line ends, not dot-stuffed, any split. A promise means: wait before writing more. */
  write(bytes: Buffer): MaybePromise<void>;
  /** Ends the content; `reply` is the filter's word on the message. */
  end(): Promise<void>;
  close(): void;
}

/** What a filter is told of a message before its recipients. */
export interface FilterIntroduction {
  readonly attributes: ForwardedAttributes;
  /** The MAIL command as it came. */
  readonly mailCommand: string;
}

export const failureReply = '451 4.3.0 Error: queue file write error';

export class FilterConversation implements FilteredMail {
  readonly #settings: FilterSettings;
  readonly #introduction: FilterIntroduction;
  readonly #warn: (text: string) => void;
  readonly #stuffer = new DotStuffer();
  #connection: FilterConnection | undefined;
  #reply: readonly string[] = [];
  #hasFailed = false;
  #isConfused = false;

  constructor(settings: FilterSettings, introduction: FilterIntroduction, warn: (text: string) => void) {
    this.#settings = settings;
    this.#introduction = introduction;
    this.#warn = warn;
  }

  get reply(): readonly string[] {
    return this.#reply;
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  get isConfused(): boolean {
    return this.#isConfused;
  }

  async open(): Promise<boolean> {
    const { attributes, mailCommand } = this.#introduction;
    this.#connection = await openConnection(this.#settings, this.#warn);
    if (this.#connection === undefined) {
      this.#hasFailed = true;
      return this.#fail();
    }
    // a client that waits for the answer to RCPT can't make sense of these replies
    if (!(await this.#exchange('2', undefined))) return this.#fail();
    if (!(await this.#exchange('2', `EHLO ${this.#settings.ehloName}`))) return this.#fail();
    for (const command of xforwardCommands(this.#reply, attributes, this.#warn)) {
      if (!(await this.#exchange('2', command))) return this.#fail();
    }
    return this.#exchange('2', mailCommand);
  }

  command(expected: Expected, line: string): Promise<boolean> {
    return this.#exchange(expected, line);
  }

  write(bytes: Buffer): MaybePromise<void> {
    if (this.#connection === undefined || this.#hasFailed || bytes.length === 0) return undefined;
    const trouble = this.#connection.write(this.#stuffer.encode(bytes));
    if (trouble instanceof Promise) return trouble.then((found) => this.#meet(found));
    return this.#meet(trouble);
  }

  async end(): Promise<void> {
    if (this.#connection === undefined || this.#hasFailed) return;
    const trouble = await this.#connection.write([this.#stuffer.end()]);
    // a filter may have hung up after a last word
    if (trouble === 'timeout') this.#meet(trouble);
    else await this.#listen('any', '.');
  }

  close(): void {
    if (this.#hasFailed) this.#connection?.destroy();
    else this.#connection?.quit();
    this.#connection = undefined;
  }

  /** Says a line, or nothing for the greeting, and hears the answer. */
  #exchange(expected: Expected, line: string | undefined): Promise<boolean> {
    if (this.#connection === undefined || this.#hasFailed) return Promise.resolve(this.#fail());
    if (line !== undefined) this.#connection.say(line);
    return this.#listen(expected, line ?? 'connection request');
  }

  async #listen(expected: Expected, asked: string): Promise<boolean> {
    const answer = await this.#connection?.answer();
    if (answer === undefined) return this.#fail();
    if (answer.kind !== 'reply') {
      this.#meet(answer.kind);
      return false;
    }
    const first = answer.lines[0]?.slice(0, 1) ?? '';
    this.#reply = answer.lines;
    this.#isConfused = false;
    if (expected === 'any' || first === expected) return true;
    this.#warn(`proxy ${this.#settings.name} rejected "${asked}": "${loggedReply(answer.lines)}"`);
    // a success in the wrong place is nothing that a client may hear
    if (first === '2' || first === '3') {
      this.#isConfused = true;
      this.#fail();
    }
    return false;
  }

  #meet(trouble: Trouble | undefined): void {
    if (trouble === undefined || this.#hasFailed) return;
    const { name } = this.#settings;
    this.#warn(trouble === 'lost' ? `lost connection with proxy ${name}` : `timeout talking to proxy ${name}`);
    this.#hasFailed = true;
    this.#fail();
  }

  #fail(): false {
    this.#reply = [failureReply];
    return false;
  }
}

/** A reply in one line: Postfix shows CR and LF as any character that is not printable. */
export function loggedReply(lines: readonly string[]): string {
  return lines.join('??');
}
