import assert from 'node:assert/strict';
import {
  closeSync,
  linkSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSettings } from '#config';
import { EventLog } from '#events';
import { openLogFile } from '../../../src/master/log-file.ts';
import { RunningLog } from '../../../src/roles/mail-log.ts';

const isRoot = process.getuid?.() === 0;

describe('the log of a running process', () => {
  it('goes on in a new file when the old one was moved away', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-log-'));
    const path = join(directory, 'mail.log');
    writeFileSync(
      join(directory, 'main.cf'),
      `myhostname = mail.example.com\nmaillog_file = ${path}\nmaillog_file_prefixes = ${directory}\n`,
    );
    try {
      const { settings } = openSettings(directory);
      const sink = new RunningLog(settings, openSync(path, 'a'));
      const log = new EventLog([sink]);
      const say = (text: string): void => {
        log.channel('postfix/test').emit({ kind: 'note', text });
        log.flush();
      };
      say('before');
      renameSync(path, `${path}.1`);
      sink.reopen(settings);
      say('after');
      if (sink.fd !== undefined) closeSync(sink.fd);
      assert.match(readFileSync(`${path}.1`, 'utf8'), /before\n$/);
      assert.match(readFileSync(path, 'utf8'), /^[^\n]*after\n$/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is given to its owner, and never what a link in its place leads to', { skip: !isRoot && 'needs root' }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-log-'));
    const path = join(directory, 'mail.log');
    const others = join(directory, 'secret');
    writeFileSync(
      join(directory, 'main.cf'),
      `myhostname = mail.example.com\nmaillog_file = ${path}\nmaillog_file_prefixes = ${directory}\n`,
    );
    writeFileSync(others, '');
    try {
      const { settings } = openSettings(directory);
      const open = (): void => closeSync(openLogFile(settings, { uid: 1, gid: 1 }) ?? -1);
      open();
      assert.equal(statSync(path).uid, 1);
      for (const link of [symlinkSync, linkSync]) {
        rmSync(path);
        link(others, path);
        open();
        assert.equal(statSync(others).uid, 0);
      }
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
