/** One file of the maildrop directory: opened, checked, read. */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open } from 'node:fs/promises';
import { type MaildropEnvelope, maxMaildropEnvelopeBytes, parseMaildropEnvelope } from '#message';
import { tryLockFile } from '#native';
import { CrlfEncoder } from './line-ends.ts';

const CHUNK_BYTES = 65_536;

const notRegular = 'not a regular file';

export type OpenedFile =
  | { readonly kind: 'open'; readonly file: MaildropFile }
  /** The writer is still at it, or another process has it in work: an older generation after a reload. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'malformed'; readonly reason: string };

export interface MaildropFile extends AsyncDisposable {
  /** Who submitted it. */
  readonly uid: number;
  /** Another file of the same name has another one. */
  readonly identity: string;
  readonly envelope: MaildropEnvelope;
  /** Of the file. */
  readonly sizeBytes: number;
  /** Content with CRLF line ends; each time from its start. */
  content(): AsyncGenerator<Buffer>;
}

/** Opens a complete file, for this process alone until it is closed, and reads its envelope. Rejects when the system fails. */
export function takeMaildropFile(path: string): Promise<OpenedFile> {
  return openFile(path, true);
}

/** The same to look at a file only. */
export function openMaildropFile(path: string): Promise<OpenedFile> {
  return openFile(path, false);
}

async function openFile(path: string, isForUs: boolean): Promise<OpenedFile> {
  // an incomplete file of another user can't be opened yet
  const before = await lstat(path);
  if (!before.isFile()) return { kind: 'malformed', reason: notRegular };
  if ((before.mode & constants.S_IXUSR) === 0) return { kind: 'incomplete' };
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await handle.stat();
    const problem = !status.isFile() ? notRegular : status.nlink > 1 ? 'file has more than one link' : '';
    const opened: OpenedFile =
      problem !== ''
        ? { kind: 'malformed', reason: problem }
        : (status.mode & constants.S_IXUSR) === 0 || (isForUs && !(await isOurs(handle)))
          ? { kind: 'incomplete' }
          : await readEnvelope(handle, {
              uid: status.uid,
              sizeBytes: status.size,
              identity: `${status.ino} ${status.mtimeMs} ${status.size}`,
            });
    if (opened.kind !== 'open') await handle.close();
    return opened;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Locks the file until it is closed; false when another process has it, or has removed it. */
async function isOurs(handle: FileHandle): Promise<boolean> {
  return tryLockFile(handle.fd, 'flock') && (await handle.stat()).nlink > 0;
}

async function readEnvelope(
  handle: FileHandle,
  facts: Pick<MaildropFile, 'uid' | 'identity' | 'sizeBytes'>,
): Promise<OpenedFile> {
  const pieces: Buffer[] = [];
  let at = 0;
  while (at <= maxMaildropEnvelopeBytes) {
    const chunk = await readChunk(handle, at);
    if (chunk.length === 0) break;
    at += chunk.length;
    const lineEnd = chunk.indexOf('\n');
    // holes of a sparse file, which cost whoever made it nothing
    if (chunk.subarray(0, lineEnd < 0 ? chunk.length : lineEnd).includes(0)) break;
    if (lineEnd < 0) {
      pieces.push(chunk);
      continue;
    }
    pieces.push(chunk.subarray(0, lineEnd));
    const envelope = parseMaildropEnvelope(Buffer.concat(pieces).toString('utf8'));
    if (envelope === undefined) break;
    const rest = chunk.subarray(lineEnd + 1);
    const restEnd = at;
    return {
      kind: 'open',
      file: {
        ...facts,
        envelope,
        content: () => readContent(handle, rest, restEnd),
        [Symbol.asyncDispose]: () => handle.close(),
      },
    };
  }
  return { kind: 'malformed', reason: 'no envelope record' };
}

async function readChunk(handle: FileHandle, at: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, at);
  return buffer.subarray(0, bytesRead);
}

/** `first`: what is known of it, up to `firstEnd` in the file. */
async function* readContent(handle: FileHandle, first: Buffer, firstEnd: number): AsyncGenerator<Buffer> {
  const encoder = new CrlfEncoder();
  if (first.length > 0) yield encoder.encode(first);
  let at = firstEnd;
  for (let chunk = await readChunk(handle, at); chunk.length > 0; chunk = await readChunk(handle, at)) {
    at += chunk.length;
    yield encoder.encode(chunk);
  }
  const end = encoder.end();
  if (end.length > 0) yield end;
}
