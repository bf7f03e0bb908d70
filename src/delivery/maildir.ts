/**
 * Maildirs: a message is written whole in tmp, synced, and then renamed into new. maildir(5); local(8), virtual(8)
 *
 * A deliverer does nothing else, so short system calls are made directly; who waits for the disk, it is told. A
 * directory is synced once for all messages that came into it meanwhile.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { DirectorySyncs } from './directory-syncs.ts';
import type { SyncFile } from './disk-syncs.ts';
import { writeWhole } from './file-calls.ts';
import { errnoOf, errnoText, MailboxError } from './mailbox-error.ts';

const mode = 0o600;

/** `EPOCH.V<device>I<inode>M<microseconds>.HOST` */
function maildirName(at: number, device: number, inode: number, hostname: string): string {
  const micros = Math.floor(performance.now() * 1000) % 1_000_000;
  return `${Math.floor(at / 1000)}.V${device.toString(16)}I${inode.toString(16)}M${micros}.${hostname}`;
}

/** Opens the file, and makes the maildir when it is not there. */
function createTemporary(base: string, path: string): number {
  const create = (): number => openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    try {
      return create();
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      for (const part of ['tmp', 'new', 'cur']) mkdirSync(`${base}/${part}`, { recursive: true, mode: 0o700 });
      return create();
    }
  } catch (error) {
    const text = `create maildir file ${path}: ${errnoText(error)}`;
    const warnings =
      errnoOf(error) === 'EACCES'
        ? [
            `maildir access problem for UID/GID=${process.getuid?.() ?? 0}/${process.getgid?.() ?? 0}: ${text}`,
            'perhaps you need to create the maildirs in advance',
          ]
        : [];
    throw new MailboxError(text, { errno: errnoOf(error), warnings });
  }
}

const direct = { write: (fd: number, bytes: Buffer): number => writeSync(fd, bytes) };

/** Writes messages into maildirs. */
export class MaildirWriter {
  readonly #syncFile: SyncFile;
  readonly #directories: DirectorySyncs;
  #serial = 0;

  constructor(syncFile: SyncFile) {
    this.#syncFile = syncFile;
    this.#directories = new DirectorySyncs(syncFile);
  }

  /** Writes a message; it is visible and on disk when this resolves. Throws MailboxError, also when `signal` aborts it in time. */
  async write(path: string, hostname: string, content: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<void> {
    const base = path.replace(/\/+$/, '');
    const at = Date.now();
    const temporary = `${base}/tmp/${this.#temporaryName(at, hostname)}`;
    const fd = createTemporary(base, temporary);
    try {
      try {
        for await (const piece of content) await writeWhole(direct, fd, piece);
        await this.#syncFile(fd);
        signal?.throwIfAborted();
        const { dev, ino } = fstatSync(fd);
        renameSync(temporary, `${base}/new/${maildirName(at, dev, ino, hostname)}`);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      try {
        unlinkSync(temporary);
      } catch {
        // it has its final name already, or never came to be
      }
      throw new MailboxError(`write maildir file ${temporary}: ${errnoText(error)}`, { errno: errnoOf(error) });
    }
    await this.#directories.sync(`${base}/new`);
  }

  /** Unique in this process, which has one writer, and with its pid on this machine. */
  #temporaryName(at: number, hostname: string): string {
    this.#serial += 1;
    return `${Math.floor(at / 1000)}.P${process.pid}.${this.#serial}.${hostname}`;
  }
}
