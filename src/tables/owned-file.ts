/**
 * Files behind tables, and whose they are: local(8) runs the commands of an alias with the rights of its table's owner.
 * So the owner is that of the very file the entries came from; whoever may write to the directory can put another one
 * behind the name at any time.
 */
import { closeSync, fstatSync, lstatSync, openSync, readFileSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';

export interface OwnedFile {
  readonly bytes: Buffer;
  /** A uid. */
  readonly owner: number;
}

const writableByOthers = 0o022;

/** Opens a file for as long as `use` takes. Throws the system's error. */
export function withOpenFile<T>(path: string, use: (fd: number, facts: Stats) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd, fstatSync(fd));
  } finally {
    closeSync(fd);
  }
}

/** Throws the system's error. */
export function readOwned(path: string): OwnedFile {
  return withOpenFile(path, (fd, { uid }) => ({ bytes: readFileSync(fd), owner: uid }));
}

/** A file that others open by its name. */
export interface NamedFile {
  /** Without links. */
  readonly path: string;
  /** Undefined where others than root and the owner may put another file in its place. */
  readonly owner: number | undefined;
}

/** Throws the system's error. */
export function fileNamed(name: string): NamedFile {
  const path = realpathSync(name);
  const { uid } = lstatSync(path);
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const { uid: keeper, mode } = statSync(folder);
    if ((keeper !== 0 && keeper !== uid) || (mode & writableByOthers) !== 0) return { path, owner: undefined };
    if (folder === dirname(folder)) return { path, owner: uid };
  }
}
