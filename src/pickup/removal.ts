/** Whether a file can be taken out of the maildrop directory, asked before its message is sent. */
import { accessSync, constants, statSync } from 'node:fs';
import { errnoText } from '#native';

/** Why not; undefined when nothing speaks against it. A read-only or immutable directory is known by access(2). */
export function reasonNothingCanBeRemoved(directory: string): string | undefined {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    const { mode, uid } = statSync(directory);
    const own = process.geteuid?.() ?? 0;
    if ((mode & constants.S_IFMT) === constants.S_IFDIR && (mode & sticky) !== 0 && own !== 0 && uid !== own)
      return `${directory} belongs to uid ${uid}, not to ${own}`;
    return undefined;
  } catch (error) {
    return errnoText(error);
  }
}

/** In such a directory only its owner may remove files of others. inode(7) */
const sticky = 0o1000;
