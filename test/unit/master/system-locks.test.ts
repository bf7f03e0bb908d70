import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { isQueueLocked, type Locking, lockSystem, pidFilePath, type SystemLocks } from '#master';

const nobody = { uid: 65_534, gid: 65_534 };

function held(locking: Locking): SystemLocks {
  if (locking.kind !== 'held') throw new Error(locking.problem);
  return locking.locks;
}

function problemOf(locking: Locking): string {
  return locking.kind === 'held' ? 'held' : `${locking.kind}: ${locking.problem}`;
}

const busy = 'unable to set exclusive lock: Resource temporarily unavailable';

describe('the locks of a running system', () => {
  const isRoot = process.getuid?.() === 0;
  let base = '';
  let queueDirectory = '';
  let dataDirectory = '';
  const children: ChildProcess[] = [];
  const lock = (): Locking => lockSystem({ queueDirectory, dataDirectory, owner: undefined });
  const pidWritten = (): string => readFileSync(pidFilePath(queueDirectory), 'latin1');
  /** Another process that has the locks, until it is killed. */
  const heldElsewhere = async (): Promise<ChildProcess> => {
    const module = new URL('../../../src/master/index.ts', import.meta.url).href;
    const script = `import { lockSystem } from ${JSON.stringify(module)};
      process.stdout.write(lockSystem(${JSON.stringify({ queueDirectory, dataDirectory })}).kind);
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    assert.equal(String((await once(child.stdout, 'data'))[0]), 'held');
    return child;
  };

  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'posthorn-locks-'));
    queueDirectory = `${base}/queue`;
    dataDirectory = `${base}/data`;
    for (const directory of [queueDirectory, `${queueDirectory}/pid`, dataDirectory]) mkdirSync(directory);
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(base, { recursive: true });
  });

  it('are had by one system at a time, whose pid stays in the file', async () => {
    const { pid } = await heldElsewhere();
    assert.equal(problemOf(lock()), `taken: open lock file pid/master.pid: ${busy}`);
    assert.equal(pidWritten().trim(), String(pid));
    assert.equal(isQueueLocked(queueDirectory), true);
  });

  it('end with a process that is killed, and what it wrote is replaced', async () => {
    const child = await heldElsewhere();
    child.kill('SIGKILL');
    await once(child, 'exit');
    writeFileSync(pidFilePath(queueDirectory), 'a text that is longer than any process id\n');
    assert.equal(isQueueLocked(queueDirectory), false);
    const locks = held(lock());
    assert.equal(pidWritten(), `${String(process.pid).padStart(16)}\n`);
    locks.release();
    assert.equal(existsSync(pidFilePath(queueDirectory)), false);
    held(lock()).release();
  });

  it('are not inherited by processes that outlive their holder', async () => {
    const locks = held(lock());
    const child = spawn(process.execPath, ['-e', 'process.stdout.write("."); setInterval(() => undefined, 1000)'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    locks.release();
    held(lock()).release();
  });

  it('are for the data directory too, which another queue may not share', async () => {
    await heldElsewhere();
    queueDirectory = `${base}/other`;
    for (const directory of [queueDirectory, `${queueDirectory}/pid`]) mkdirSync(directory);
    assert.equal(problemOf(lock()), `taken: open lock file ${dataDirectory}/master.lock: ${busy}`);
    assert.equal(existsSync(pidFilePath(queueDirectory)), false);
  });

  it('are not taken on what another name leads to', () => {
    const precious = `${base}/precious`;
    writeFileSync(precious, 'untouched');
    symlinkSync(precious, pidFilePath(queueDirectory));
    assert.match(
      problemOf(lock()),
      /^failed: open lock file pid\/master\.pid: cannot open file: Too many levels of symbolic links$/,
    );
    rmSync(pidFilePath(queueDirectory));
    linkSync(precious, `${dataDirectory}/master.lock`);
    assert.match(problemOf(lock()), /^failed: open lock file .*\/master\.lock: file has 2 hard links$/);
    assert.equal(readFileSync(precious, 'utf8'), 'untouched');
  });

  it('are not taken where a link or another user stands in for the directory', () => {
    const [pid, precious] = [`${queueDirectory}/pid`, `${base}/precious`];
    mkdirSync(precious);
    renameSync(pid, `${pid}.was`);
    symlinkSync(precious, pid);
    assert.equal(problemOf(lock()), 'failed: open lock file pid/master.pid: cannot open file: Not a directory');
    assert.deepEqual(readdirSync(precious), []);
    if (!isRoot) return;
    rmSync(pid);
    mkdirSync(pid);
    chownSync(pid, nobody.uid, nobody.gid);
    assert.match(problemOf(lock()), /^failed: open lock file pid\/master\.pid: .*\/pid: it belongs to user 65534; /);
    assert.deepEqual(readdirSync(pid), []);
  });

  it('say which directory is missing', () => {
    dataDirectory = `${base}/nowhere`;
    assert.match(
      problemOf(lock()),
      /^failed: open lock file .*\/nowhere\/master\.lock: cannot open file: No such file or directory$/,
    );
    assert.equal(isQueueLocked(`${base}/nowhere`), false);
  });

  it('are taken in the data directory as its owner', { skip: isRoot ? false : 'needs root' }, () => {
    const locking = lockSystem({ queueDirectory, dataDirectory, owner: nobody });
    // the directory is root's, where nobody makes no file
    assert.match(problemOf(locking), /^failed: open lock file .*: cannot open file: Permission denied$/);
    assert.equal(process.geteuid?.(), 0);
    assert.equal(process.getegid?.(), 0);
  });
});
