/**
 * A message that a filter gets to see when all of it is here: commands and content are kept and then said again. A filter
 * is busy with a message for as long as that takes, not for as long as a slow client takes. postconf(5) smtpd_proxy_options
 */
import type { MaybePromise } from '#message';
import { errnoText } from '#native';
import { type Expected, failureReply, type FilteredMail, FilterConversation } from './conversation.ts';
import { Spool } from './spool.ts';

export class DelayedMail implements FilteredMail {
  readonly #conversation: FilterConversation;
  readonly #spool: Spool;
  readonly #warn: (text: string) => void;
  readonly #commands: { readonly expected: Expected; readonly line: string }[] = [];
  #hasSpoolFailed = false;

  constructor(conversation: FilterConversation, spool: Spool, warn: (text: string) => void) {
    this.#conversation = conversation;
    this.#spool = spool;
    this.#warn = warn;
  }

  get reply(): readonly string[] {
    return this.#hasSpoolFailed ? [failureReply] : this.#conversation.reply;
  }

  get hasFailed(): boolean {
    return this.#hasSpoolFailed || this.#conversation.hasFailed;
  }

  get isConfused(): boolean {
    return this.#conversation.isConfused;
  }

  open(): boolean {
    return true;
  }

  /** How the filter will answer is not known yet: for the client, well. */
  command(expected: Expected, line: string): boolean {
    this.#commands.push({ expected, line });
    return true;
  }

  write(bytes: Buffer): MaybePromise<void> {
    if (this.#hasSpoolFailed) return undefined;
    const wait = this.#spool.write(bytes);
    return wait instanceof Promise ? wait.catch((error: unknown) => this.#failSpool(error)) : undefined;
  }

  async end(): Promise<void> {
    if (this.#hasSpoolFailed) return;
    if (!(await this.#conversation.open())) return;
    for (const { expected, line } of this.#commands) {
      if (!(await this.#conversation.command(expected, line))) return;
    }
    try {
      for await (const bytes of this.#spool.read()) {
        const wait = this.#conversation.write(bytes);
        if (wait instanceof Promise) await wait;
      }
    } catch (error) {
      this.#failSpool(error);
      return;
    }
    await this.#conversation.end();
  }

  close(): void {
    this.#conversation.close();
    this.#spool.close().catch((error: unknown) => this.#failSpool(error));
  }

  #failSpool(error: unknown): void {
    this.#warn(`proxy speed-adjust log I/O error: ${errnoText(error)}`);
    this.#hasSpoolFailed = true;
  }
}
