/**
 * Reading the files behind tables. Those that only root may read, as passwords are kept, are read ahead by a process that
 * still is root; Postfix's daemons open their tables before they become another user.
 */
import { constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Index, indexPath, type IndexType, openIndex } from './index-files.ts';
import { type OwnedFile, readOwned } from './owned-file.ts';

export interface TableFileReader {
  /** Throws the system's error. */
  readonly text: (path: string) => OwnedFile;
  /** As `openIndex`. */
  readonly index: (type: IndexType, path: string) => Index | string;
}

/** With the rights of the process. */
export const ownRights: TableFileReader = { text: readOwned, index: openIndex };

/** A file behind a table; `path` of an index is that of its source. */
export type TableFile =
  | { readonly kind: 'text'; readonly path: string }
  | { readonly kind: 'index'; readonly type: IndexType; readonly path: string };

/** The file itself. */
export function pathOf(file: TableFile): string {
  return file.kind === 'text' ? file.path : indexPath(file.type, file.path);
}

/** Whether others have no right to read a file; false where there is none. */
export function isForRootOnly(path: string): boolean {
  try {
    if ((statSync(path).mode & constants.S_IROTH) === 0) return true;
    for (let folder = dirname(path); folder !== dirname(folder); folder = dirname(folder))
      if ((statSync(folder).mode & constants.S_IXOTH) === 0) return true;
  } catch {
    // told of by whoever opens it
  }
  return false;
}

/** Files as they were when root read them, by their paths. */
export interface TableCopies {
  readonly texts: ReadonlyMap<string, OwnedFile>;
  readonly indexes: ReadonlyMap<string, Index>;
}

export const noCopies: TableCopies = { texts: new Map(), indexes: new Map() };

/** Copies of those that only root may read; what can't be read is told of by whoever needs it. */
export function copySecretFiles(files: readonly TableFile[]): TableCopies {
  const texts = new Map<string, OwnedFile>();
  const indexes = new Map<string, Index>();
  for (const file of files) {
    const path = pathOf(file);
    if (texts.has(path) || indexes.has(path) || !isForRootOnly(path)) continue;
    try {
      if (file.kind === 'text') texts.set(path, readOwned(path));
      else {
        const index = openIndex(file.type, file.path);
        // it is shared, and open as long as the process
        if (typeof index !== 'string') indexes.set(path, { ...index, close: () => undefined });
      }
    } catch {
      // as above
    }
  }
  return { texts, indexes };
}

/** From copies where the rights of the process are not enough. */
export function withCopies({ texts, indexes }: TableCopies, rights: TableFileReader = ownRights): TableFileReader {
  return {
    text: (path) => unlessDenied(() => rights.text(path), texts.get(path)),
    index: (type, path) => unlessDenied(() => rights.index(type, path), indexes.get(indexPath(type, path))),
  };
}

export function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EACCES';
}

function unlessDenied<T>(read: () => T, copy: T | undefined): T {
  try {
    return read();
  } catch (error) {
    if (copy === undefined || !isDenied(error)) throw error;
    return copy;
  }
}
