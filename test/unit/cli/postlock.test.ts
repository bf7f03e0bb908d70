import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { run } from '../../../src/cli/postlock.ts';

describe('postlock', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-postlock-'));
  const mailbox = join(directory, 'box');
  writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\ndeliver_lock_attempts = 1\n');
  after(() => rmSync(directory, { recursive: true }));

  async function said(...args: readonly string[]): Promise<string> {
    let text = '';
    const status = await run(['-c', directory, ...args], {
      stdout: (chunk) => void (text += String(chunk)),
      stderr: (chunk) => void (text += String(chunk)),
      stdin: Readable.from([]),
      env: {},
      uid: process.getuid?.() ?? 0,
    });
    return `${text}${status}`;
  }

  it('runs the command while the lock file is there, and gives its exit status', async () => {
    assert.equal(await said('-l', 'dotlock', mailbox, 'sh', '-c', `test -e ${mailbox}.lock && exit 7`), '7');
    assert.equal(existsSync(`${mailbox}.lock`), false);
  });

  it('gives 75 when the mailbox is locked, 1 when the command cannot be run', async () => {
    writeFileSync(`${mailbox}.lock`, '');
    assert.equal(
      await said('-l', 'dotlock', mailbox, 'true'),
      `postlock: fatal: open file ${mailbox}: unable to create lock file ${mailbox}.lock: File exists\n75`,
    );
    rmSync(`${mailbox}.lock`);
    assert.equal(
      await said('-l', 'fcntl', mailbox, '/nonexistent'),
      'postlock: fatal: execvp /nonexistent: No such file or directory\n1',
    );
    assert.equal(
      await said('-l', 'fcntl', mailbox, `${mailbox}/command`),
      `postlock: fatal: execvp ${mailbox}/command: Not a directory\n1`,
    );
  });

  it('knows Postfix’s kinds of locks only', async () => {
    assert.equal(
      await said('-l', 'nosuch', mailbox, 'true'),
      'postlock: fatal: unknown mailbox_delivery_lock value "nosuch" in "nosuch"\n75',
    );
  });
});
