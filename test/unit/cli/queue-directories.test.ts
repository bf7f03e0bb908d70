/** What `postfix check` and `postfix set-permissions` mend. Only root gives files to others. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { openSettings } from '#config';
import { makeQueueDirectories } from '../../../src/cli/queue-directories.ts';

const skip = process.getuid?.() !== 0 && 'only root gives files to others';

/** mail_owner. */
const daemon = 1;

describe('the directories of the queue', { skip }, () => {
  let base = '';
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'posthorn-places-'));
    writeFileSync(
      `${base}/main.cf`,
      `mail_owner = daemon\nqueue_directory = ${base}/queue\ndata_directory = ${base}/data\n`,
    );
    make();
  });
  afterEach(() => rmSync(base, { recursive: true }));

  const make = (): void => makeQueueDirectories(openSettings(base).settings);
  const ownerOf = (name: string): number => statSync(`${base}/${name}`).uid;

  it('belong to the mail system again when somebody took them away, and so does the queue', () => {
    for (const name of ['posthorn.db', 'posthorn.db-wal', 'other']) writeFileSync(`${base}/queue/${name}`, '');
    chownSync(`${base}/queue/maildrop`, 0, 0);
    chmodSync(`${base}/queue/maildrop`, 0o700);
    chownSync(`${base}/queue/pid`, daemon, daemon);
    make();
    assert.equal(ownerOf('queue/pid'), 0);
    assert.deepEqual(
      ['maildrop', 'posthorn.db', 'posthorn.db-wal', 'other'].map((name) => ownerOf(`queue/${name}`)),
      [daemon, daemon, daemon, 0],
    );
    assert.equal(statSync(`${base}/queue/maildrop`).mode & 0o7777, 0o1733);
  });

  it('give nothing away that a link of the mail system leads to', () => {
    mkdirSync(`${base}/private`);
    writeFileSync(`${base}/shadow`, '');
    symlinkSync(`${base}/shadow`, `${base}/queue/posthorn.db`);
    linkSync(`${base}/shadow`, `${base}/queue/posthorn.db-wal`);
    make();
    rmSync(`${base}/queue/public`, { recursive: true });
    symlinkSync(`${base}/private`, `${base}/queue/public`);
    assert.throws(make, /queue\/public: not a directory but a symbolic link; remove it$/);
    assert.deepEqual(['shadow', 'private'].map(ownerOf), [0, 0]);
  });

  it('may stand elsewhere, where root has put a link', () => {
    rmSync(`${base}/data`, { recursive: true });
    mkdirSync(`${base}/elsewhere`);
    symlinkSync(`${base}/elsewhere`, `${base}/data`);
    make();
    assert.equal(ownerOf('elsewhere'), daemon);
  });
});
