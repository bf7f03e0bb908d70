/** Maildirs: a message is written whole in tmp, and then linked into new. maildir(5); local(8), virtual(8) */
import { constants } from 'node:fs';
import { link, mkdir, open, unlink } from 'node:fs/promises';
import { errnoOf, errnoText, MailboxError } from './mailbox-error.ts';

const mode = 0o600;

/** `EPOCH.V<device>I<inode>M<microseconds>.HOST` */
function maildirName(at: number, device: number, inode: number, hostname: string): string {
  const micros = Math.floor(performance.now() * 1000) % 1_000_000;
  return `${Math.floor(at / 1000)}.V${device.toString(16)}I${inode.toString(16)}M${micros}.${hostname}`;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

let serial = 0;

/** Unique in this process and, with its pid, on this machine. */
function temporaryName(at: number, hostname: string): string {
  serial += 1;
  return `${Math.floor(at / 1000)}.P${process.pid}.${serial}.${hostname}`;
}

async function createTemporary(base: string, name: string): ReturnType<typeof open> {
  const path = `${base}/tmp/${name}`;
  const create = (): ReturnType<typeof open> =>
    open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  try {
    return await create().catch(async (error: unknown) => {
      if (errnoOf(error) !== 'ENOENT') throw error;
      for (const part of ['tmp', 'new', 'cur']) await mkdir(`${base}/${part}`, { recursive: true, mode: 0o700 });
      return create();
    });
  } catch (error) {
    const text = `create maildir file ${path}: ${errnoText(error)}`;
    const warnings =
      errnoOf(error) === 'EACCES'
        ? [
            `maildir access problem for UID/GID=${process.getuid?.() ?? 0}/${process.getgid?.() ?? 0}: ${text}`,
            'perhaps you need to create the maildirs in advance',
          ]
        : [];
    throw new MailboxError(text, { errno: errnoOf(error), warnings });
  }
}

/** Writes a message; it is visible and on disk when this resolves. Throws MailboxError. */
export async function writeMaildir(path: string, hostname: string, content: Buffer): Promise<void> {
  const base = path.replace(/\/+$/, '');
  const at = Date.now();
  const name = temporaryName(at, hostname);
  const file = await createTemporary(base, name);
  try {
    try {
      await file.writeFile(content);
      await file.sync();
      const { dev, ino } = await file.stat();
      await link(`${base}/tmp/${name}`, `${base}/new/${maildirName(at, dev, ino, hostname)}`);
    } finally {
      await file.close();
    }
    await syncDirectory(`${base}/new`);
  } catch (error) {
    throw new MailboxError(`write maildir file ${base}/tmp/${name}: ${errnoText(error)}`, { errno: errnoOf(error) });
  } finally {
    await unlink(`${base}/tmp/${name}`);
  }
}
