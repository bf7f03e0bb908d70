import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { foreignMail } from '../../../src/roles/foreign-queue.ts';

describe('a queue directory that Postfix has used', () => {
  it('is told of while its mail waits there', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-foreign-'));
    try {
      const queue = join(directory, 'queue');
      writeFileSync(join(directory, 'main.cf'), `queue_directory = ${queue}\n`);
      writeFileSync(join(directory, 'master.cf'), '');
      const said = (): readonly string[] =>
        foreignMail(loadConfiguration(directory).settings).map((text) => text.replaceAll(`${directory}/`, ''));
      assert.deepEqual(said(), []);
      for (const path of ['incoming', 'active', 'hold', 'deferred/3', 'deferred/4', 'corrupt', 'other'])
        mkdirSync(join(queue, path), { recursive: true });
      for (const path of ['corrupt/3A00C216258', 'other/3A00C216258', 'active/.keep'])
        writeFileSync(join(queue, path), '');
      symlinkSync(join(queue, 'other'), join(queue, 'incoming/4'));
      assert.deepEqual(said(), []);
      writeFileSync(join(queue, 'deferred/3/3A00C216258'), '');
      writeFileSync(join(queue, 'hold/4gKxPn2LZYz1b'), '');
      assert.deepEqual(said(), [
        'main.cf, line 1: queue: 2 messages of Postfix itself (deferred, hold); they are not taken over, ' +
          'as it stands they wait unseen: let Postfix deliver them before the move',
      ]);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
