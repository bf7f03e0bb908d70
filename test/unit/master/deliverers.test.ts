import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Deliverers } from '../../../src/master/deliverers.ts';

describe('the processes of receiving users', () => {
  it('are told of when they can not be started, also the one that was started ahead', async () => {
    const deliverers = new Deliverers(['-e', '0'], { onStopped: () => undefined });
    deliverers.prepare('/nonexistent');
    await new Promise((resolve) => setImmediate(resolve));
    const reason = await new Promise<string>((resolve) => {
      const stream = deliverers.start({ name: '1', uid: 1, gid: 1, onError: resolve }, '/nonexistent');
      assert.equal(stream, undefined);
    });
    assert.match(reason, /ENOENT/);
    await deliverers.stop(0);
  });

  /** One that says that it is there, and ends only when it is made to. */
  async function startStubborn(deliverers: Deliverers): Promise<Socket> {
    const fd = deliverers.start({ name: '1', uid: 1, gid: 1, onError: assert.fail }, '/');
    assert.ok(fd !== undefined);
    const stream = new Socket({ fd, readable: true, writable: true });
    stream.on('error', () => undefined);
    await once(stream, 'data');
    return stream;
  }
  const stubborn = (more: string): readonly string[] => [
    '-e',
    `process.on('SIGTERM', () => 0); setInterval(() => 0, 1000); require('fs').writeSync(3, '.'); ${more}`,
  ];
  const stopping = "process.kill(process.pid, 'SIGSTOP')";

  it('are killed when a user stops them, so that no mail waits', async () => {
    const stopped = Promise.withResolvers<number>();
    const deliverers = new Deliverers(stubborn(stopping), { onStopped: stopped.resolve, everyMs: 10 });
    const stream = await startStubborn(deliverers);
    const closed = once(stream, 'close');
    assert.ok((await stopped.promise) > 0);
    await closed;
    await deliverers.stop(0);
  });

  it('have all ended after a stop, also those that do not end by themselves', async () => {
    for (const [more, limitMs] of [
      ['', 50],
      [stopping, 60_000],
    ] as const) {
      const deliverers = new Deliverers(stubborn(more), { onStopped: () => undefined });
      const stream = await startStubborn(deliverers);
      const closed = once(stream, 'close');
      await deliverers.stop(limitMs);
      await closed;
    }
  });
});
