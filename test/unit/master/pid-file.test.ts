import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isAllInOne, pidFilePath, runningMaster } from '#master';

describe('the pid file', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-pid-'));
  mkdirSync(`${directory}/pid`);
  const children: ChildProcess[] = [];
  /** A process with these arguments, written down as the one that runs. */
  const started = async (...args: readonly string[]): Promise<number> => {
    const script = 'process.stdout.write("."); setInterval(() => undefined, 1000)';
    const child = spawn(process.execPath, ['-e', script, '--', ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    children.push(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
    writeFileSync(pidFilePath(directory), `${child.pid ?? 0}\n`);
    return child.pid ?? 0;
  };
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(directory, { recursive: true });
  });

  it('names a supervisor of this queue, and no other program', async () => {
    const pid = await started('master', '/etc/x', directory);
    assert.equal(runningMaster(directory), pid);
    assert.equal(isAllInOne(pid), false);
    await started('master', '/etc/x', '/elsewhere');
    assert.equal(runningMaster(directory), undefined);
  });

  it('names a system that a quick start runs in one process', async () => {
    const pid = await started('posthorn', 'quick-start', '--port', '2525');
    assert.equal(runningMaster(directory), pid);
    assert.equal(isAllInOne(pid), true);
  });
});
