import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { askSystem, listQueue } from '../../../src/cli/control-client.ts';

describe('a mail system that goes away while it is asked', () => {
  let directory = '';
  let server: Server;
  let answer = '';
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-control-'));
    mkdirSync(join(directory, 'public'));
    server = createServer((socket) => {
      socket.on('error', () => undefined).resume();
      if (answer === '') socket.destroy();
      else socket.end(answer);
    });
    server.listen(join(directory, 'public/control'));
    await once(server, 'listening');
  });
  after(async () => {
    server.close();
    await once(server, 'close');
    rmSync(directory, { recursive: true });
  });

  const wentAway = { kind: 'failed', reason: 'the mail system went away before its answer was complete' };

  it('is no bug of who asks', async () => {
    answer = '';
    // whether the question can still be written differs from time to time
    for (let times = 0; times < 5; times += 1) {
      assert.deepEqual(await askSystem(directory, 'public', { operation: 'flush' }), wentAway);
      assert.deepEqual(await listQueue(directory), wentAway);
    }
  });

  it('has not told everything when its answer has no end', async () => {
    answer = '{"changed":["A"]}\n';
    assert.deepEqual(await askSystem(directory, 'public', { operation: 'flush' }), wentAway);
    const listing = await listQueue(directory);
    assert.ok(listing.kind === 'ok');
    await assert.rejects(Array.fromAsync(listing.messages), { message: wentAway.reason });
  });

  it('is down, or cannot be asked, in the words of the system', async () => {
    const ask = (place: string): Promise<unknown> => askSystem(place, 'public', { operation: 'flush' });
    assert.deepEqual(await ask(`${directory}/nowhere`), { kind: 'down', reason: 'No such file or directory' });
    const file = import.meta.filename;
    assert.deepEqual(await ask(file), { kind: 'failed', reason: 'Not a directory' });
  });
});
