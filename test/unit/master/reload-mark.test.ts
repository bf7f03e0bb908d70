import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lastReload, pidFilePath, reloadRefusal } from '#master';
import { openPidDirectory, type PidDirectory } from '../../../src/master/pid-directory.ts';
import { markReloaded } from '../../../src/master/reload-mark.ts';

describe('the mark of a reload', () => {
  let queue = '';
  let directory: PidDirectory;
  before(() => {
    queue = mkdtempSync(join(tmpdir(), 'reload-'));
    mkdirSync(join(queue, 'pid'));
    directory = openPidDirectory(queue);
  });
  after(() => {
    directory.close();
    rmSync(queue, { recursive: true });
  });

  it('is the time of the pid file', () => {
    assert.equal(lastReload(queue), undefined);
    writeFileSync(pidFilePath(queue), '');
    utimesSync(pidFilePath(queue), 1, 1);
    assert.equal(lastReload(queue), 1000);
    markReloaded(directory, []);
    assert.notEqual(lastReload(queue), 1000);
  });

  it('has what was refused until a reload that was not', () => {
    assert.deepEqual(reloadRefusal(queue), []);
    markReloaded(directory, ['an address that is none', 'another']);
    assert.deepEqual(reloadRefusal(queue), ['an address that is none', 'another']);
    markReloaded(directory, ['something else']);
    assert.deepEqual(reloadRefusal(queue), ['something else']);
    markReloaded(directory, []);
    assert.deepEqual(reloadRefusal(queue), []);
  });

  it('tells of a refusal where there is no descriptor for a file', () => {
    const source = (name: string): string => new URL(`../../../src/master/${name}.ts`, import.meta.url).href;
    const code = `import { openSync } from 'node:fs';
import { openPidDirectory } from '${source('pid-directory')}';
import { markReloaded } from '${source('reload-mark')}';
const directory = openPidDirectory(${JSON.stringify(queue)});
try { for (;;) openSync('/dev/null'); } catch { markReloaded(directory, ['looking up root: Too many open files']); }`;
    const command = 'ulimit -n 100; exec "$@"';
    spawnSync('sh', ['-c', command, 'sh', process.execPath, '--input-type=module', '-e', code]);
    assert.deepEqual(reloadRefusal(queue), ['reload refused, see the log']);
    markReloaded(directory, []);
    assert.deepEqual(reloadRefusal(queue), []);
  });

  it('follows no link that was put in the place of the directory', () => {
    const precious = mkdtempSync(join(queue, 'precious-'));
    writeFileSync(join(precious, 'master.pid'), '');
    writeFileSync(join(precious, 'reload.refused'), '');
    utimesSync(join(precious, 'master.pid'), 1, 1);
    renameSync(join(queue, 'pid'), join(queue, 'pid.was'));
    symlinkSync(precious, join(queue, 'pid'));
    markReloaded(directory, []);
    assert.equal(lastReload(queue), 1000);
    assert.deepEqual(readdirSync(precious).toSorted(), ['master.pid', 'reload.refused']);
    assert.throws(() => openPidDirectory(queue), /ENOTDIR/);
    rmSync(join(queue, 'pid'));
    renameSync(join(queue, 'pid.was'), join(queue, 'pid'));
  });

  it('is nothing to fail over when the system has gone', () => {
    rmSync(pidFilePath(queue));
    markReloaded(directory, []);
    assert.equal(lastReload(queue), undefined);
  });
});
