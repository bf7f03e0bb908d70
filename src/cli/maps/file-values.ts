/** `-F`: values that name files stand for the files' contents. postmap(1) */
import { readFileSync } from 'node:fs';
import { errnoText } from '#native';

export type FileContents =
  | { readonly kind: 'read'; readonly contents: Buffer }
  /** What could not be done, as in `open FILE: No such file or directory`. */
  | { readonly kind: 'failed'; readonly problem: string };

/** All files of a value, one behind the other on lines of their own. */
export function readFileValue(value: string): FileContents {
  const contents: string[] = [];
  const paths = value.split(/[,\s]+/).filter((word) => word !== '');
  if (paths.length === 0) return { kind: 'failed', problem: `empty pathname list: >>${value}<<'` };
  for (const path of paths) {
    try {
      contents.push(readFileSync(path, 'latin1'));
    } catch (error) {
      const isDirectory = error instanceof Error && 'code' in error && error.code === 'EISDIR';
      return { kind: 'failed', problem: `${isDirectory ? 'read' : 'open'} ${path}: ${errnoText(error)}` };
    }
  }
  return { kind: 'read', contents: Buffer.from(contents.join('\n'), 'latin1') };
}
