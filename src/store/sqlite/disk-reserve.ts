/**
 * Room on the disk that only deliveries may use. On a full disk not even a message that was delivered could be taken out
 * of the queue, as that too is written first; then this file gives way, and no mail is accepted until it is back.
 */
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { pageBytes } from './schema.ts';

const idealBytes = 26 * 1024 * 1024;
/** With less, mail is not accepted again after the disk was full. */
const leastBytes = 1024 * 1024;
/** A small disk is not filled with a reserve. */
const maxShare = 0.25;
/** A disk that is nearly full gives this part of what is left. */
const maxShareOfFree = 0.7;
const block = 1024 * 1024;

const sqliteFull = 13;
/** No room for the index of the log. SQLITE_IOERR_SHMSIZE */
const sqliteNoIndex = 4874;

export class DiskReserve {
  readonly #path: string;
  #bytes: number;
  #isUsedUp = false;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-reserve`;
    this.#bytes = this.#idealBytes();
  }

  /** It was needed, and is not back yet. */
  isUsedUp(): boolean {
    return this.#isUsedUp;
  }

  release(): void {
    this.#isUsedUp = true;
    rmSync(this.#path, { force: true });
  }

  /** Pages the log may hold before it is moved into the file, so that the reserve has room for the move. */
  logPages(): number {
    return Math.max(100, Math.floor((this.#bytes * 0.6) / pageBytes));
  }

  /** Makes the file, or completes it as far as there is room; false when that is too little. */
  fill(): boolean {
    const { bsize, bavail } = statfsSync(dirname(this.#path));
    const present = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    const ideal = this.#idealBytes();
    const possible = Math.min(ideal, present + Math.floor(bavail * bsize * maxShareOfFree));
    if (possible < Math.min(ideal, leastBytes) || !this.#write(possible - present)) return false;
    this.#bytes = Math.max(possible, present);
    this.#isUsedUp = false;
    return true;
  }

  #idealBytes(): number {
    const { bsize, blocks } = statfsSync(dirname(this.#path));
    return Math.min(idealBytes, Math.floor(bsize * blocks * maxShare));
  }

  #write(bytes: number): boolean {
    if (bytes <= 0) return true;
    const file = openSync(this.#path, 'a', 0o600);
    // nothing that a file system could leave out as a hole
    const filling = Buffer.alloc(block, 0x50);
    try {
      for (let left = bytes; left > 0; left -= block) writeSync(file, filling, 0, Math.min(left, block));
      return true;
    } catch {
      return false; // the disk filled up meanwhile
    } finally {
      closeSync(file);
    }
  }
}

/** Whether an error of SQLite says that the disk is full. */
export function isFull(error: unknown): boolean {
  const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) : 0;
  return (code & 0xff) === sqliteFull || code === sqliteNoIndex;
}

/** What `act` gives; on a full disk the reserve gives way for it. */
export function withRoomFor<T>(act: () => T, reserve: Pick<DiskReserve, 'release'>): T {
  try {
    return act();
  } catch (error) {
    if (!isFull(error)) throw error;
  }
  reserve.release();
  return act();
}
