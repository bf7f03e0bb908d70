/** Directories for what is kept. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeDirectory, unfitness } from '../../../src/cli/make-directory.ts';

describe('a directory for what is kept', () => {
  let base = '';
  before(() => {
    base = mkdtempSync(join(tmpdir(), 'posthorn-directory-'));
  });
  after(() => rmSync(base, { recursive: true, force: true }));

  it('is made with those above it, and left as it is when it is there', () => {
    makeDirectory(`${base}/a/b/c`);
    makeDirectory(`${base}/a/b/c`);
    assert.ok(statSync(`${base}/a/b/c`).isDirectory());
  });

  it('is not made where a file stands', () => {
    writeFileSync(`${base}/file`, '');
    assert.throws(() => makeDirectory(`${base}/file`), /EEXIST/);
    assert.throws(() => makeDirectory(`${base}/file/x`), /ENOTDIR/);
  });

  it('fails at once below /proc', () => {
    assert.throws(() => makeDirectory('/proc/posthorn/queue'), /ENOENT|EACCES|EPERM/);
    assert.match(unfitness('/proc') ?? '', /^no files can be made there: /);
  });

  it('is unfit when everybody keeps things there', () => {
    assert.equal(unfitness(tmpdir()), 'it is for others too');
    assert.equal(unfitness('/'), 'it is for others too');
    mkdirSync(`${base}/mount`);
    chmodSync(`${base}/mount`, 0o1777);
    assert.equal(unfitness(`${base}/mount`), undefined);
  });

  it('is fit when a file can be made in it, and none is left behind', () => {
    assert.equal(unfitness(`${base}/queue`), undefined);
    assert.deepEqual(readdirSync(`${base}/queue`), []);
  });
});
