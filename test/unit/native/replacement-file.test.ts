import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openReplacement } from '#native';

describe('a file that is to take the place of another', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-replacement-'));
  after(() => rmSync(directory, { recursive: true }));

  it('is made, and what was left is removed, where the file system gives every file to one user', () => {
    const path = join(directory, 'main.cf.tmp');
    const { geteuid } = process;
    process.geteuid = () => 54_321;
    try {
      for (const left of [undefined, 'left by a killed process']) {
        if (left !== undefined) writeFileSync(path, left);
        const fd = openReplacement(path);
        assert.ok(fd !== undefined);
        assert.equal(readFileSync(path, 'utf8'), '');
        closeSync(fd);
        rmSync(path);
      }
    } finally {
      if (geteuid !== undefined) process.geteuid = geteuid;
    }
  });
});
