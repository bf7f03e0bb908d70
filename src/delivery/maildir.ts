/**
 * Maildirs: a message is written whole in tmp, synced, and then renamed into new. maildir(5); local(8), virtual(8)
 *
 * Short system calls are made in place, also by a process with other work; who waits for the disk, the process says. A
 * directory is synced once for all messages that came into it meanwhile.
 */
import { closeSync, constants, fstatSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { errnoOf, errnoText } from '#native';
import { DirectorySyncs } from './directory-syncs.ts';
import type { SyncFile } from './disk-syncs.ts';
import { writeWhole } from './file-calls.ts';
import { MailboxError } from './mailbox-error.ts';

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
      makeFolders(base);
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

const inPlace = { write: (fd: number, bytes: Buffer): number => writeSync(fd, bytes) };

function makeFolders(base: string): void {
  for (const part of ['tmp', 'new', 'cur']) mkdirSync(`${base}/${part}`, { recursive: true, mode: 0o700 });
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // it is gone already
  }
}

/** Gives a file its final name. */
function publish(base: string, temporary: string, path: string): void {
  try {
    try {
      renameSync(temporary, path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      makeFolders(base);
      renameSync(temporary, path);
    }
  } catch (error) {
    removeIfThere(temporary);
    throw new MailboxError(`create maildir file ${path}: ${errnoText(error)}`, { errno: errnoOf(error) });
  }
}

const writingFailed = (error: unknown): MailboxError =>
  new MailboxError(`error writing message: ${errnoText(error)}`, { errno: errnoOf(error) });

/** Writes messages into maildirs. */
export class MaildirWriter {
  readonly #syncFile: SyncFile;
  readonly #directories: DirectorySyncs;
  #serial = 0;

  constructor(syncFile: SyncFile) {
    this.#syncFile = syncFile;
    this.#directories = new DirectorySyncs(syncFile);
  }

  /** Writes a message; it is visible and on disk when this resolves. Throws MailboxError, also when `signal` aborts it. */
  async write(path: string, hostname: string, content: AsyncIterable<Buffer>, signal?: AbortSignal): Promise<void> {
    const base = path.replace(/\/+$/, '');
    const at = Date.now();
    const temporary = `${base}/tmp/${this.#temporaryName(at, hostname)}`;
    const fd = createTemporary(base, temporary);
    let final: string;
    try {
      for await (const piece of content) await writeWhole(inPlace, fd, piece);
      await this.#syncFile(fd);
      signal?.throwIfAborted();
      const { dev, ino } = fstatSync(fd);
      final = `${base}/new/${maildirName(at, dev, ino, hostname)}`;
    } catch (error) {
      removeIfThere(temporary);
      throw writingFailed(error);
    } finally {
      closeSync(fd);
    }
    publish(base, temporary, final);
    try {
      await this.#directories.sync(`${base}/new`);
      signal?.throwIfAborted();
    } catch (error) {
      // it will be written again
      removeIfThere(final);
      throw writingFailed(error);
    }
  }

  /** Unique in this process, which has one writer, and with its pid on this machine. */
  #temporaryName(at: number, hostname: string): string {
    this.#serial += 1;
    return `${Math.floor(at / 1000)}.P${process.pid}.${this.#serial}.${hostname}`;
  }
}
