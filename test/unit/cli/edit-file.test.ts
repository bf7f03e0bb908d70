import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

describe('an edit of main.cf', () => {
  let directory = '';
  before(() => void (directory = mkdtempSync(join(tmpdir(), 'posthorn-edit-'))));
  after(() => rmSync(directory, { recursive: true }));

  const set = (shell: string, assignment: string): ChildProcess =>
    spawn(
      'sh',
      ['-c', `${shell}exec "$@"`, 'sh', process.execPath, main, 'postconf', '-c', directory, '-e', assignment],
      {
        stdio: 'ignore',
      },
    );
  const content = (): string => readFileSync(join(directory, 'main.cf'), 'utf8');

  it('loses nothing of others that are made at the same time', async () => {
    writeFileSync(join(directory, 'main.cf'), 'mail_name = x\n');
    const numbers = [1, 2, 3, 4, 5, 6];
    await Promise.all(numbers.map((number) => once(set('', `own_${number} = 1`), 'close')));
    const lines = content().trimEnd().split('\n');
    assert.deepEqual(
      lines.toSorted((a, b) => (a < b ? -1 : 1)),
      ['mail_name = x', ...numbers.map((number) => `own_${number} = 1`)],
    );
    assert.deepEqual(readdirSync(directory), ['main.cf']);
  });

  it('is all there or not made, where not all of it finds room', async () => {
    const long = `${'# a comment\n'.repeat(400)}mail_name = x\n`;
    writeFileSync(join(directory, 'main.cf'), long);
    // files of 2 KB at most
    const [status] = await once(set('ulimit -f 4; ', 'own = 1'), 'close');
    assert.notEqual(status, 0);
    assert.equal(content(), long);
  });
});
