/**
 * Room on the disk that only deliveries may use. On a full disk not even a message that was delivered could be taken out
 * of the queue, as that too is written first; then this file gives way, and no mail is accepted until it is back.
 */
import { closeSync, openSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** As much as the write-ahead log holds before it is moved into the file, with something to spare. */
const reserveBytes = 18 * 1024 * 1024;
/** A small disk is not filled with a reserve. */
const maxShare = 0.25;
const block = 1024 * 1024;

export class DiskReserve {
  readonly #path: string;
  #isUsedUp = false;

  constructor(databasePath: string) {
    this.#path = `${databasePath}-reserve`;
  }

  /** It was needed, and is not back yet. */
  isUsedUp(): boolean {
    return this.#isUsedUp;
  }

  release(): void {
    this.#isUsedUp = true;
    rmSync(this.#path, { force: true });
  }

  /** Makes the file, or completes it; false when there is no room for it. */
  fill(): boolean {
    const { bsize, blocks, bavail } = statfsSync(dirname(this.#path));
    const wanted = Math.min(reserveBytes, Math.floor(bsize * blocks * maxShare));
    const present = statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0;
    const missing = wanted - present;
    const isWhole = missing <= 0 || (bavail * bsize > missing + block && this.#write(missing));
    if (isWhole) this.#isUsedUp = false;
    return isWhole;
  }

  #write(bytes: number): boolean {
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
