/**
 * Files of users, .forward and what is included, read a piece at a time: they may be of any size, and nothing of that
 * size comes to the process that all mail goes through.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { errnoOf, errnoText } from '#native';
import type { FileFacts, ReadRequest, ReadResult } from './deliverer-protocol.ts';

/** Even if it holds nothing but line ends, it is gone through in some milliseconds. */
export const pieceBytes = 64 * 1024;

/** It is the same file with the same content as long as this is the same. */
const stampOf = ({ dev, ino, size, mtimeMs }: Stats): string => `${dev}:${ino}:${size}:${mtimeMs}`;

/** The first file that is there, or the piece of it that is asked for. Short system calls are made directly: a deliverer has nothing else to do meanwhile. */
export function readPiece(request: ReadRequest): ReadResult {
  for (const path of request.paths) {
    try {
      const seen = request.followsLinks ? statSync(path) : lstatSync(path);
      if (!seen.isFile()) return { kind: 'file', path, bytes: '', more: undefined, facts: factsOf(seen) };
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(errnoOf(error))) continue;
      return unreadable(path, errnoText(error));
    }
    try {
      return readFile(path, request);
    } catch (error) {
      return unreadable(path, errnoText(error));
    }
  }
  return { kind: 'missing' };
}

function readFile(path: string, { followsLinks, next }: ReadRequest): ReadResult {
  // what came into its place meanwhile, a pipe for example, must not make us wait
  const noFollow = followsLinks ? 0 : constants.O_NOFOLLOW;
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | noFollow);
  try {
    const opened = fstatSync(fd);
    const facts = factsOf(opened);
    if (!facts.isRegular) return { kind: 'file', path, bytes: '', more: undefined, facts };
    const stamp = stampOf(opened);
    if (next !== undefined && next.stamp !== stamp) return unreadable(path, 'it changed while it was being read');
    const from = next?.from ?? 0;
    const buffer = Buffer.allocUnsafe(pieceBytes);
    const length = readSync(fd, buffer, 0, pieceBytes, from);
    const more = length === pieceBytes ? { from: from + length, stamp } : undefined;
    return { kind: 'file', path, bytes: buffer.toString('latin1', 0, length), more, facts };
  } finally {
    closeSync(fd);
  }
}

const factsOf = (seen: Stats): FileFacts => ({
  uid: seen.uid,
  mode: seen.mode & 0o7777,
  isRegular: seen.isFile(),
});

const unreadable = (path: string, reason: string): ReadResult => ({ kind: 'unreadable', path, reason });
