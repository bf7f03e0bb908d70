/**
 * The directory `pid` below $queue_directory. It is root's, but stands in a directory of $mail_owner's, who may put another
 * or a link in its place: so a system opens it once, and works on what is open.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';

export class PidDirectory {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Leads to a file there, whatever the directory is called by now; as long as it is open, and in this process only. */
  path(name: 'master.pid' | 'reload.refused'): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Throws what open(2) says, also of a link; and where it is neither root's nor ours. */
export function openPidDirectory(queueDirectory: string): PidDirectory {
  const path = `${queueDirectory}/pid`;
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  const { uid } = fstatSync(fd);
  if (uid === 0 || uid === process.geteuid?.()) return new PidDirectory(fd);
  closeSync(fd);
  throw new Error(`${path}: it belongs to user ${uid}; run 'postfix check', which mends that`);
}
