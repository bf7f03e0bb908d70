import assert from 'node:assert/strict';
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

  it('is nothing to fail over when the system has gone', () => {
    rmSync(pidFilePath(queue));
    markReloaded(queue, []);
    assert.equal(lastReload(queue), undefined);
  });
});
