import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, beforeEach, describe, it, mock } from 'node:test';
import { formatMaildropEnvelope } from '#message';
import { type MaildropEntry, readMaildrop } from '../../../src/cli/maildrop-listing.ts';
import { plainEnvelope } from '../message/maildrop-envelope.ts';

const refusal = (code: string, errno: number): Error => Object.assign(new Error(code), { code, errno });

describe('the list of the maildrop directory', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-maildrop-'));
  const maildrop = `${directory}/maildrop`;
  after(() => rmSync(directory, { recursive: true }));
  const leave = (name: string, text?: string): void => {
    const envelope = formatMaildropEnvelope({
      ...plainEnvelope,
      createdAt: 1000,
      recipients: [{ address: 'b', notify: [], dsnOriginal: '' }],
    });
    writeFileSync(`${maildrop}/${name}`, text ?? envelope);
    chmodSync(`${maildrop}/${name}`, 0o744);
  };
  const warnings: string[] = [];
  const list = async (): Promise<readonly MaildropEntry[]> =>
    Array.fromAsync(readMaildrop(directory, (text) => void warnings.push(text)));
  beforeEach(() => {
    warnings.length = 0;
    mkdirSync(maildrop);
  });
  afterEach(() => {
    mock.restoreAll();
    syncBuiltinESMExports();
    rmSync(maildrop, { recursive: true, force: true });
  });

  it('names complete messages, with no more than one of them open', async () => {
    for (const name of ['C3', 'A1', 'B2']) leave(name);
    leave('NONE', 'no envelope\n');
    for (const name of ['A"B\x1b[31m', 'a-b', 'é', '.A1', 'A1\n', 'A'.repeat(255).slice(1) + '!']) leave(name);
    leave('HOLES', '{');
    truncateSync(`${maildrop}/HOLES`, 16 * 1024 * 1024);
    symlinkSync('A1', `${maildrop}/LINK`);
    let open = 0;
    let most = 0;
    const { open: really } = fs;
    mock.method(fs, 'open', async (...args: Parameters<typeof really>) => {
      most = Math.max(most, ++open);
      const handle = await really(...args);
      const close = handle.close.bind(handle);
      handle.close = async () => {
        open -= 1;
        await close();
      };
      return handle;
    });
    syncBuiltinESMExports();
    const sizeBytes = (await fs.stat(`${maildrop}/A1`)).size;
    assert.deepEqual(
      await list(),
      ['A1', 'B2', 'C3'].map((queueId) => ({ queueId, sender: 'a', recipients: ['b'], arrivedAt: 1000, sizeBytes })),
    );
    assert.deepEqual([most, open, warnings], [1, 0, []]);
  });

  it('says what could not be read, unless pickup was faster', async () => {
    for (const name of ['A1', 'B2', 'C3']) leave(name);
    const { open: really } = fs;
    mock.method(fs, 'open', async (...args: Parameters<typeof really>) => {
      if (String(args[0]).endsWith('/A1')) throw refusal('EIO', -5);
      if (String(args[0]).endsWith('/B2')) throw refusal('ENOENT', -2);
      return really(...args);
    });
    syncBuiltinESMExports();
    assert.deepEqual(
      (await list()).map(({ queueId }) => queueId),
      ['C3'],
    );
    assert.deepEqual(warnings, ['open maildrop/A1: Input/output error']);
  });

  it('says why there is none, but to who may not look, or where nothing was ever left', async () => {
    let error = refusal('EACCES', -13);
    mock.method(fs, 'readdir', () => Promise.reject(error));
    syncBuiltinESMExports();
    assert.deepEqual(await list(), []);
    error = refusal('ENOENT', -2);
    assert.deepEqual(await list(), []);
    assert.deepEqual(warnings, []);
    error = refusal('EMFILE', -24);
    assert.deepEqual(await list(), []);
    assert.deepEqual(warnings, ['scan maildrop: Too many open files']);
  });
});
