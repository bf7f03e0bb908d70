import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { lastReload, markReloaded, pidFilePath, reloadRefusal } from '#master';

describe('the mark of a reload', () => {
  let queue = '';
  before(() => {
    queue = mkdtempSync(join(tmpdir(), 'reload-'));
    mkdirSync(join(queue, 'pid'));
  });
  after(() => rmSync(queue, { recursive: true }));

  it('is the time of the pid file', () => {
    assert.equal(lastReload(queue), undefined);
    writeFileSync(pidFilePath(queue), '');
    utimesSync(pidFilePath(queue), 1, 1);
    assert.equal(lastReload(queue), 1000);
    markReloaded(queue, []);
    assert.notEqual(lastReload(queue), 1000);
  });

  it('has what was refused until a reload that was not', () => {
    assert.deepEqual(reloadRefusal(queue), []);
    markReloaded(queue, ['an address that is none', 'another']);
    assert.deepEqual(reloadRefusal(queue), ['an address that is none', 'another']);
    markReloaded(queue, ['something else']);
    assert.deepEqual(reloadRefusal(queue), ['something else']);
    markReloaded(queue, []);
    assert.deepEqual(reloadRefusal(queue), []);
  });

  it('tells of a refusal where there is no descriptor for a file', () => {
    const code = `import { openSync } from 'node:fs';
import { markReloaded } from '#master';
try { for (;;) openSync('/dev/null'); } catch { markReloaded(${JSON.stringify(queue)}, ['looking up root: Too many open files']); }`;
    const command = 'ulimit -n 100; exec "$@"';
    spawnSync('sh', ['-c', command, 'sh', process.execPath, '--input-type=module', '-e', code]);
    assert.deepEqual(reloadRefusal(queue), ['reload refused, see the log']);
    markReloaded(queue, []);
    assert.deepEqual(reloadRefusal(queue), []);
  });

  it('is nothing to fail over when the system has gone', () => {
    rmSync(pidFilePath(queue));
    markReloaded(queue, []);
    assert.equal(lastReload(queue), undefined);
  });
});
