import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { run } from '../../../src/cli/postkick.ts';

describe('postkick', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postkick-'));
  writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\nqueue_directory = ${directory}\n`);
  writeFileSync(join(directory, 'master.cf'), 'qmgr unix n - n 300 1 qmgr\n');
  after(() => rmSync(directory, { recursive: true }));

  async function kick(uid: number, ...args: readonly string[]): Promise<string> {
    let text = '';
    const status = await run(['-c', directory, ...args], {
      stdout: () => assert.fail(),
      stderr: (piece) => void (text += piece),
      stdin: (async function* (): AsyncGenerator<Buffer> {})(),
      env: {},
      uid,
    });
    return `${text}${status}`;
  }
  const unreachable = (service: string): string =>
    `postkick: warning: Cannot contact class public service ${service} - perhaps the mail system is down\n1`;

  it('finds no service that master.cf has not, and none that runs while the system is down', async () => {
    const missing = 'postkick: warning: unable to look up public/nosuch: No such file or directory\n';
    assert.equal(await kick(0, 'public', 'nosuch', 'W'), missing + unreachable('nosuch'));
    assert.equal(await kick(0, 'public', 'qmgr', 'W'), unreachable('qmgr'));
  });

  it('is not for users whose system it is not', async () => {
    const refused = 'postkick: warning: unable to look up public/qmgr: Permission denied\n';
    assert.equal(await kick((process.getuid?.() ?? 0) + 4242, 'public', 'qmgr', 'W'), refused + unreachable('qmgr'));
  });
});
