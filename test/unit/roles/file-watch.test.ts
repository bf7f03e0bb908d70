import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, mock } from 'node:test';
import { watchFiles } from '../../../src/roles/file-watch.ts';

describe('a watch over files', () => {
  it('tells once of a file that is another, when it rests', () => {
    const directory = mkdtempSync(join(tmpdir(), 'watch-'));
    const [one, two] = [join(directory, 'one'), join(directory, 'two')];
    mock.timers.enable({ apis: ['setInterval'] });
    try {
      writeFileSync(one, 'a');
      writeFileSync(two, 'a');
      let paths = [one];
      let changes = 0;
      const watch = watchFiles({ paths: () => paths, intervalMs: 10, onChange: () => (changes += 1) });
      const after = (turns: number): number => {
        mock.timers.tick(10 * turns);
        return changes;
      };
      assert.equal(after(3), 0);
      paths = [one, two];
      assert.equal(after(3), 0, 'a file more is no change');
      writeFileSync(one, 'longer');
      assert.equal(after(1), 0, 'it may not be whole yet');
      assert.equal(after(1), 1);
      assert.equal(after(3), 1);
      rmSync(two);
      assert.equal(after(3), 1, 'one that is gone is being replaced');
      writeFileSync(`${two}.new`, 'another');
      renameSync(`${two}.new`, two);
      assert.equal(after(3), 2);
      watch.stop();
    } finally {
      mock.timers.reset();
      rmSync(directory, { recursive: true });
    }
  });
});
