/**
 * A new file in the maildrop directory: hidden from pickup by its mode until it is whole and on disk. postdrop(1)
 */
import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fstatSync, fsyncSync, lstatSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { formatMaildropEnvelope, type MaildropEnvelope, maxMaildropEnvelopeBytes } from '#message';

/** pickup may run as another user than the submitter. The directory can't be listed, and the name can't be guessed. */
const COMPLETE_MODE = 0o744;

/** What ends a command in the middle: ^C, a terminal that goes away. */
const endingSignals = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const;

/** A file that is neither committed nor aborted is removed when the process ends, unless by SIGKILL. */
export class MaildropWriter {
  readonly #directory: string;
  readonly #path: string;
  readonly #fd: number;
  #isOpen = false;
  readonly #abortAtExit = (): void => this.abort();
  readonly #abortAtSignal = (signal: NodeJS.Signals): void => {
    this.abort();
    process.kill(process.pid, signal);
  };
  readonly name = randomBytes(16).toString('hex').toUpperCase();

  /** Throws when the directory can't be written. */
  constructor(directory: string) {
    this.#directory = directory;
    this.#path = join(directory, this.name);
    // a signal that comes while the file is made finds it
    process.on('exit', this.#abortAtExit);
    for (const signal of endingSignals) process.on(signal, this.#abortAtSignal);
    try {
      this.#fd = openSync(this.#path, 'wx', 0o600);
      this.#isOpen = true;
      if (process.getuid?.() === 0) this.#checkPlace();
    } catch (error) {
      this.abort();
      this.#stopListening();
      throw error;
    }
  }

  /** Whoever owns the queue could put a link in the directory's place, and have root make files with its mail anywhere. */
  #checkPlace(): void {
    const opened = fstatSync(this.#fd);
    const named = lstatSync(this.#directory).isDirectory() && lstatSync(this.#path, { throwIfNoEntry: false });
    if (named && named.ino === opened.ino && named.dev === opened.dev && named.nlink === 1) return;
    throw new Error(`${this.#directory}: not a directory but a symbolic link`);
  }

  /** The first thing to write. Throws where pickup would not read it: it removes such a file, and tells nobody. */
  writeEnvelope(envelope: MaildropEnvelope): void {
    const line = Buffer.from(formatMaildropEnvelope(envelope));
    if (line.length > maxMaildropEnvelopeBytes) throw new Error('too many recipients');
    this.write(line);
  }

  write(bytes: Uint8Array): void {
    for (let rest = bytes; rest.length > 0;) rest = rest.subarray(writeSync(this.#fd, rest));
  }

  /** Hands the file to pickup; when this returns it is on disk. When it throws, there is no file. */
  commit(): void {
    try {
      fsyncSync(this.#fd);
      // while nobody may take the file yet: a failure after that would have the message sent twice
      this.#syncDirectory();
      // a process that was stopped for a week: postsuper has taken its file for one that a crash left
      if (fstatSync(this.#fd).nlink === 0) throw new Error(`${this.#path}: removed by somebody else`);
      // from here on pickup may have taken it
      fchmodSync(this.#fd, COMPLETE_MODE);
      fsyncSync(this.#fd);
    } catch (error) {
      this.abort();
      throw error;
    }
    this.#close();
  }

  /** Nothing is left of the file, unless it was committed. */
  abort(): void {
    if (!this.#isOpen) return;
    rmSync(this.#path, { force: true });
    this.#close();
  }

  #close(): void {
    this.#isOpen = false;
    this.#stopListening();
    try {
      closeSync(this.#fd);
    } catch {
      // What counts is on disk by now, and what is aborted does not count.
    }
  }

  #stopListening(): void {
    process.off('exit', this.#abortAtExit);
    for (const signal of endingSignals) process.off(signal, this.#abortAtSignal);
  }

  #syncDirectory(): void {
    let fd: number;
    try {
      fd = openSync(this.#directory, 'r');
    } catch {
      // Not ours to read (mode 1733): the journal that holds the new inode holds its name too.
      return;
    }
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}
