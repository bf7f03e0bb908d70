/** Edits a file as a whole: main.cf, master.cf. One after the other, as postconf(1) does it. */
import {
  closeSync,
  fchmodSync,
  fchownSync,
  fsyncSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { bytesOf, textOf } from '#message';
import { openReplacement } from '#native';
import { systemErrorText } from './system-error.ts';

/** What keeps an edit from being made. */
export class EditError extends Error {}

function attempt<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new EditError(`${what}: ${systemErrorText(error)}`, { cause: error });
  }
}

function openLocked(temporary: string): number {
  const fd = attempt(`open ${temporary}`, () => openReplacement(temporary));
  if (fd === undefined) throw new EditError(`lock ${temporary}: another process is editing the file`);
  return fd;
}

/**
 * Replaces a file as a whole: readers see the old or the new text, with the same owner and mode. Bytes that are no UTF-8
 * stay as they are.
 */
export function editFile(path: string, edit: (text: string) => string): void {
  const temporary = `${path}.tmp`;
  const fd = openLocked(temporary);
  try {
    const old = attempt(`open ${path} for reading`, () => readFileSync(path));
    const bytes = bytesOf(edit(textOf(old)));
    attempt(`write ${temporary}`, () => {
      // all of it, or it fails: a single write takes what a nearly full disk has room for
      writeFileSync(fd, bytes);
      fsyncSync(fd);
    });
    const { mode, uid, gid } = statSync(path);
    fchmodSync(fd, mode & 0o7777);
    if (process.getuid?.() === 0) fchownSync(fd, uid, gid);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary);
    throw error;
  } finally {
    closeSync(fd);
  }
}
