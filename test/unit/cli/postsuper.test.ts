import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, beforeEach, describe, it } from 'node:test';
import { getUserByName } from '#native';
import { run } from '../../../src/cli/postsuper.ts';

describe('postsuper on a queue without mail', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-postsuper-'));
  mkdirSync(`${directory}/queue`);
  writeFileSync(`${directory}/main.cf`, `myhostname = mail.example.com\nqueue_directory = ${directory}/queue\n`);
  after(() => rmSync(directory, { recursive: true }));
  const said = async (args: readonly string[], input = ''): Promise<string> => {
    let text = '';
    await run(['-c', directory, ...args], {
      stdout: (chunk) => void (text += String(chunk)),
      stderr: (chunk) => void (text += String(chunk)),
      stdin: Readable.from([Buffer.from(input)]),
      env: {},
      uid: process.getuid?.() ?? 0,
      isTerminal: () => Promise.resolve(false),
    });
    return text;
  };

  it('works as mail_owner where root asks', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
    const became: number[] = [];
    mkdirSync(`${directory}/owned`);
    writeFileSync(
      `${directory}/owned/main.cf`,
      `myhostname = mail.example.com\nqueue_directory = ${directory}/queue\nmail_owner = daemon\n`,
    );
    const removed = async (): Promise<unknown> =>
      run(['-c', `${directory}/owned`, '-d', 'A1'], {
        stdout: () => undefined,
        stderr: () => undefined,
        stdin: Readable.from([]),
        env: {},
        uid: 0,
        become: ({ uid }) => Promise.resolve(void became.push(uid)),
      });
    await removed();
    assert.deepEqual(became, [], "a queue of root's own");
    const { uid = 0, gid = 0 } = getUserByName('daemon') ?? {};
    chownSync(`${directory}/queue`, uid, gid);
    await removed();
    chownSync(`${directory}/queue`, 0, 0);
    assert.deepEqual(became, [uid]);
  });

  it('says why the queue can not be opened', async () => {
    mkdirSync(`${directory}/queue/posthorn.db`);
    assert.match(await said(['-d', 'A1']), /^postsuper: fatal: .*posthorn\.db/);
    rmSync(`${directory}/queue/posthorn.db`, { recursive: true });
  });

  it('warns of what can be no queue ID', async () => {
    assert.equal(
      await said(['-d', '../x']),
      'postsuper: warning: invalid mail queue id: ../x\npostsuper: Deleted: 0 messages\n',
    );
    assert.equal(
      await said(['-h', '-'], '4Zk0f11Bz1z9\nA!\n'),
      'postsuper: warning: invalid mail queue id: A!\npostsuper: Placed on hold: 0 messages\n',
    );
  });

  it('names no queue that is none, unless only messages on hold are asked for', async () => {
    assert.equal(await said(['-h', 'A1', 'nosuch']), 'postsuper: fatal: invalid directory name: nosuch\n');
    assert.equal(await said(['-H', 'ALL', 'nosuch']), 'postsuper: fatal: invalid directory name: nosuch\n');
    assert.equal(await said(['-H', 'A1', 'nosuch']), 'postsuper: Released from hold: 0 messages\n');
    assert.equal(
      await said(['-e', '-h', 'ALL']),
      'postsuper: warning: invalid mail queue id: -h\npostsuper: Force-expired: 0 messages\n',
    );
  });

  it('tells with -v which queues -s and -p look at', async () => {
    assert.equal(await said(['-v', '-s', 'hold', 'deferred']), 'postsuper: queue: hold\npostsuper: queue: deferred\n');
    const all = ['defer', 'bounce', 'maildrop', 'incoming', 'active', 'deferred', 'hold', 'flush'];
    assert.equal(await said(['-pv']), all.map((name) => `postsuper: queue: ${name}\n`).join(''));
    assert.equal(await said(['-s']), '');
  });

  it('counts for -f what it expired and what it released', async () => {
    assert.equal(
      await said(['-f', 'ALL']),
      'postsuper: Force-expired: 0 messages\npostsuper: Released from hold: 0 messages\n',
    );
  });

  describe('where a crash has left files in maildrop', () => {
    const maildrop = `${directory}/queue/maildrop`;
    const hour = 3_600_000;
    const leave = (name: string, mode: number, age: number): void => {
      const when = new Date(Date.now() - age);
      writeFileSync(`${maildrop}/${name}`, 'half a message');
      chmodSync(`${maildrop}/${name}`, mode);
      utimesSync(`${maildrop}/${name}`, when, when);
    };
    beforeEach(() => {
      rmSync(maildrop, { recursive: true, force: true });
      mkdirSync(maildrop);
      leave('COMPLETE', 0o744, 200 * hour);
      leave('FRESH', 0o600, 0);
      leave('RESTING', 0o600, 167 * hour);
      leave('LEFT', 0o600, 169 * hour);
      symlinkSync('COMPLETE', `${maildrop}/LINK`);
    });
    const others = ['COMPLETE', 'FRESH', 'LINK', 'RESTING'];

    it('removes with -p, and without options, those that nobody has written to for a week', async () => {
      assert.equal(await said(['-p']), '');
      assert.deepEqual(readdirSync(maildrop).toSorted(), others);
      leave('LEFT', 0o600, 169 * hour);
      assert.equal(await said([]), '');
      assert.deepEqual(readdirSync(maildrop).toSorted(), others);
    });

    it('follows no link that stands in the place of the directory', async () => {
      renameSync(maildrop, `${maildrop}.elsewhere`);
      symlinkSync(`${maildrop}.elsewhere`, maildrop);
      assert.equal(await said(['-p']), '');
      assert.ok(readdirSync(`${maildrop}.elsewhere`).includes('LEFT'));
      rmSync(`${maildrop}.elsewhere`, { recursive: true });
    });

    it('names them with -v', async () => {
      assert.equal(
        await said(['-pv', 'maildrop']),
        'postsuper: queue: maildrop\npostsuper: removed file maildrop/LEFT\n',
      );
    });

    it('removes with -d what is complete, and goes on where pickup was faster', async (context) => {
      for (const name of ['TAKEN', 'ANOTHER', 'odd name']) leave(name, 0o744, 0);
      const { lstat } = fs;
      context.mock.method(fs, 'lstat', async (path: string) => {
        const status = await lstat(path);
        if (path.endsWith('/TAKEN')) rmSync(path);
        return status;
      });
      syncBuiltinESMExports();
      const output = await said(['-d', 'ALL']);
      context.mock.restoreAll();
      syncBuiltinESMExports();
      assert.equal(output, 'postsuper: Deleted: 3 messages\n');
      assert.deepEqual(readdirSync(maildrop).toSorted(), ['FRESH', 'LEFT', 'LINK', 'RESTING']);
      assert.equal(await said(['-d', 'FRESH']), 'postsuper: Deleted: 0 messages\n');
    });

    it('leaves them where other things are asked for, or other queues', async () => {
      await said(['-s']);
      await said(['-p', 'incoming']);
      await said(['-d', 'LEFT']);
      await said(['-d', 'ALL', 'incoming']);
      assert.deepEqual(readdirSync(maildrop).toSorted(), ['COMPLETE', 'FRESH', 'LEFT', 'LINK', 'RESTING']);
    });
  });
});
