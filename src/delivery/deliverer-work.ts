/** The work of a deliverer, done with the rights of the process it runs in. */
import { statSync } from 'node:fs';
import { errnoOf, errnoText } from '#native';
import { runCommand } from './command.ts';
import { type DelivererRequest, type DelivererResult, failedResult } from './deliverer-protocol.ts';
import type { FileCalls } from './file-calls.ts';
import { readPiece } from './file-pieces.ts';
import { MailboxError, statusOfErrno } from './mailbox-error.ts';
import { afterWaiting } from './mailbox-locks.ts';
import { type Appended, appendMailbox, type MailboxFile } from './mailbox.ts';
import { MaildirWriter } from './maildir.ts';
import { PathTurns } from './path-turns.ts';

/** Runs requests in this process. */
export class DelivererWork {
  readonly #calls: FileCalls;
  readonly #maildirs: MaildirWriter;
  readonly #mailboxes = new PathTurns();

  constructor(calls: FileCalls) {
    this.#calls = calls;
    this.#maildirs = new MaildirWriter(calls.sync);
  }

  /** Never rejects. Writes that `signal` aborts are taken back. */
  async run(request: DelivererRequest, content: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<DelivererResult> {
    try {
      switch (request.kind) {
        case 'maildir':
          await this.#maildirs.write(request.path, request.hostname, content, signal);
          return { kind: 'ok', warnings: [] };
        case 'mailbox':
          return { kind: 'ok', ...(await this.#append(request, content, signal)) };
        case 'command':
          return await runCommand(request, content);
        case 'read':
          return readPiece(request);
        case 'see':
          statSync(request.path);
          return { kind: 'ok', warnings: [] };
      }
    } catch (error) {
      if (!(error instanceof MailboxError)) return failedResult(statusOfErrno(errnoOf(error), ''), errnoText(error));
      const { status, errno, message, warnings, isNotRegular } = error;
      return { kind: 'failed', code: status ?? statusOfErrno(errno, ''), reason: message, warnings, isNotRegular };
    }
  }

  /** In its turn; who has waited for one that found the mailbox locked has waited for the lock. */
  #append(target: MailboxFile, content: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<Appended> {
    return this.#mailboxes.run(target.path, (before) => {
      const wasLocked = before?.error instanceof MailboxError && before.error.isLocked;
      const locks = wasLocked ? afterWaiting(target.locks, before.waitedMs) : target.locks;
      return appendMailbox(this.#calls, { ...target, locks }, content, signal);
    });
  }
}
