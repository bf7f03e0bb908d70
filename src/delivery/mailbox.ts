/** Maildir and mbox files. maildir(5), mbox(5); local(8), virtual(8) */
import { constants } from 'node:fs';
import { link, mkdir, open, rm, stat, unlink } from 'node:fs/promises';

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

async function makeMaildir(path: string): Promise<void> {
  for (const part of ['tmp', 'new', 'cur']) await mkdir(`${path}/${part}`, { recursive: true, mode: 0o700 });
}

/** Writes a message: whole and synced in tmp, then visible in new, and that synced too. */
export async function writeMaildir(path: string, hostname: string, content: Buffer): Promise<void> {
  const base = path.replace(/\/+$/, '');
  const at = Date.now();
  const temporary = `${base}/tmp/${Math.floor(at / 1000)}.P${process.pid}R${Math.random().toString(36).slice(2)}.${hostname}`;
  const create = (): ReturnType<typeof open> =>
    open(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode);
  const file = await create().catch(async (error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    await makeMaildir(base);
    return create();
  });
  try {
    try {
      await file.writeFile(content);
      await file.sync();
      const { dev, ino } = await file.stat();
      await link(temporary, `${base}/new/${maildirName(at, dev, ino, hostname)}`);
    } finally {
      await file.close();
    }
    await syncDirectory(`${base}/new`);
  } finally {
    await rm(temporary, { force: true });
  }
}

class MailboxError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const lockTries = 20;
const lockDelayMs = 1000;
const staleLockMs = 500_000;

/** A dot lock; gives its release. */
async function dotLock(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  for (let tries = 0; tries < lockTries; tries += 1) {
    try {
      const file = await open(lock, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0);
      await file.close();
      return () => unlink(lock);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      const held = await stat(lock).catch(() => undefined);
      if (held !== undefined && Date.now() - held.mtimeMs > staleLockMs) await rm(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, lockDelayMs));
    }
  }
  throw new MailboxError('EAGAIN', 'unable to lock for exclusive access: Resource temporarily unavailable');
}

/** Appends a message to an mbox; a failed write is undone. */
export async function appendMbox(
  path: string,
  locks: readonly string[],
  sizeLimit: number,
  content: Buffer,
): Promise<void> {
  const release = locks.includes('dotlock') && path !== '/dev/null' ? await dotLock(path) : undefined;
  try {
    const file = await open(
      path,
      constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW,
      mode,
    );
    try {
      const facts = await file.stat();
      if (facts.isDirectory()) throw new MailboxError('EISDIR', 'Is a directory');
      if (facts.isFile() && sizeLimit > 0 && facts.size + content.length > sizeLimit)
        throw new MailboxError('EFBIG', 'file too large');
      try {
        await file.writeFile(content);
        if (facts.isFile()) await file.sync();
      } catch (error) {
        if (facts.isFile()) await file.truncate(facts.size);
        throw error;
      }
    } finally {
      await file.close();
    }
  } finally {
    await release?.();
  }
}
