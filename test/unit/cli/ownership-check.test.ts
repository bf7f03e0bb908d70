import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { ownershipWarnings } from '../../../src/cli/ownership-check.ts';

it('postfix check names what others than root own or may write', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ownership-'));
  try {
    mkdirSync(join(directory, 'sub'));
    for (const [name, mode] of [
      ['main.cf', 0o644],
      ['open', 0o664],
      ['sub/wide', 0o646],
    ] as const) {
      writeFileSync(join(directory, name), '');
      chmodSync(join(directory, name), mode);
    }
    symlinkSync('/tmp', join(directory, 'link'));
    const names = ['.', './main.cf', './open', './sub', './sub/wide'];
    const foreign = process.getuid?.() === 0 ? [] : names.map((name) => `not owned by root: ${directory}/${name}`);
    assert.deepEqual(ownershipWarnings(directory), [
      ...foreign,
      `group or other writable: ${directory}/./open`,
      `group or other writable: ${directory}/./sub/wide`,
    ]);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
