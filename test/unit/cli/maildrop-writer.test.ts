import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs, { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { maxMaildropEnvelopeBytes } from '#message';
import { MaildropWriter } from '../../../src/cli/sendmail/maildrop-writer.ts';
import { plainEnvelope as envelope } from '../message/maildrop-envelope.ts';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

describe('a file in the maildrop directory', () => {
  let directory = '';
  let maildrop = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-maildrop-'));
    maildrop = join(directory, 'maildrop');
    mkdirSync(maildrop);
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\nqueue_directory = ${directory}\n`);
  });
  after(() => rmSync(directory, { recursive: true }));

  for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'] as const) {
    it(`is gone when ${signal} ends sendmail before the message has`, async () => {
      const env = { ...process.env, MAIL_CONFIG: directory };
      const args = ['--disable-warning=ExperimentalWarning', main, 'sendmail', '-f', 'a', 'b'];
      const child = spawn(process.execPath, args, { env, stdio: ['pipe', 'ignore', 'ignore'] });
      child.stdin.on('error', () => undefined);
      child.stdin.write('half a message');
      while (readdirSync(maildrop).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      child.kill(signal);
      assert.deepEqual(await once(child, 'exit'), [null, signal]);
      assert.deepEqual(readdirSync(maildrop), []);
    });
  }

  it('leaves nothing behind that listens once it is committed or aborted', () => {
    const before = process.listenerCount('SIGINT');
    const committed = new MaildropWriter(maildrop);
    committed.commit();
    committed.abort();
    assert.deepEqual(readdirSync(maildrop), [committed.name]);
    const aborted = new MaildropWriter(maildrop);
    aborted.abort();
    aborted.abort();
    assert.deepEqual(readdirSync(maildrop), [committed.name]);
    assert.equal(process.listenerCount('SIGINT'), before);
  });

  it('is not made by root where a link leads to', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
    const before = process.listenerCount('SIGINT');
    mkdirSync(join(directory, 'elsewhere'));
    symlinkSync('elsewhere', join(directory, 'link'));
    assert.throws(() => new MaildropWriter(join(directory, 'link')), /link: not a directory but a symbolic link$/);
    assert.deepEqual(readdirSync(join(directory, 'elsewhere')), []);
    assert.equal(process.listenerCount('SIGINT'), before);
  });

  it('has no envelope that pickup would not read', () => {
    const writer = new MaildropWriter(maildrop);
    const recipients = [{ address: 'x'.repeat(maxMaildropEnvelopeBytes), notify: [], dsnOriginal: '' }];
    assert.throws(() => writer.writeEnvelope({ ...envelope, recipients }), /^Error: too many recipients$/);
    writer.abort();
  });

  it('is not called handed in when somebody has removed it meanwhile', () => {
    const writer = new MaildropWriter(maildrop);
    rmSync(join(maildrop, writer.name));
    assert.throws(() => writer.commit(), /removed by somebody else/);
  });

  it('is shown to pickup only when nothing can fail any more', (context) => {
    const writer = new MaildropWriter(maildrop);
    const path = join(maildrop, writer.name);
    const { fsyncSync, closeSync, fstatSync } = fs;
    const modes: number[] = [];
    let isFaulty = true;
    context.mock.method(fs, 'fsyncSync', (fd: number) => {
      if (!isFaulty || !fstatSync(fd).isDirectory()) return fsyncSync(fd);
      modes.push(fs.statSync(path).mode & 0o777);
      throw new Error('EIO: directory');
    });
    context.mock.method(fs, 'closeSync', (fd: number) => {
      const isFile = fstatSync(fd).isFile();
      closeSync(fd);
      if (isFile) throw new Error('EIO: close');
    });
    syncBuiltinESMExports();
    try {
      assert.throws(() => writer.commit(), /^Error: EIO/);
      assert.deepEqual(modes, [0o600]);
      assert.equal(fs.existsSync(path), false);
      isFaulty = false;
      const other = new MaildropWriter(maildrop);
      other.commit();
      assert.equal(fs.statSync(join(maildrop, other.name)).mode & 0o777, 0o744);
    } finally {
      context.mock.restoreAll();
      syncBuiltinESMExports();
    }
  });

  it('is handed in when pickup takes it up at once', (context) => {
    const writer = new MaildropWriter(maildrop);
    const { fchmodSync } = fs;
    context.mock.method(fs, 'fchmodSync', (fd: number, mode: number) => {
      fchmodSync(fd, mode);
      rmSync(join(maildrop, writer.name));
    });
    syncBuiltinESMExports();
    try {
      writer.commit();
    } finally {
      context.mock.restoreAll();
      syncBuiltinESMExports();
    }
  });
});
