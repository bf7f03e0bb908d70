/**
 * A new file in the maildrop directory: hidden from pickup by its mode until it is whole and on disk. postdrop(1)
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** pickup may run as another user than the submitter. The directory can't be listed, and the name can't be guessed. */
const COMPLETE_MODE = 0o744;

export class MaildropWriter {
  readonly #directory: string;
  readonly #path: string;
  readonly #fd: number;
  readonly name = randomBytes(16).toString('hex').toUpperCase();

  /** Throws when the directory can't be written. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, this.name);
    this.#fd = openSync(this.#path, 'wx', 0o600);
  }

  write(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(this.#fd, rest));
  }

  /** Hands the file to pickup; when this returns it is on disk. */
  commit(): void {
    fsyncSync(this.#fd);
    fchmodSync(this.#fd, COMPLETE_MODE);
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    this.#syncDirectory();
  }

  abort(): void {
    closeSync(this.#fd);
    unlinkSync(this.#path);
  }

  #syncDirectory(): void {
    let fd: number;
    try {
      fd = openSync(this.#directory, 'r');
    } catch {
      // Not ours to read (mode 1733): the journal that holds the new inode holds its name too.
      return;
    }
    fsyncSync(fd);
    closeSync(fd);
  }
}
