import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deliverers } from '../../../src/master/deliverers.ts';

describe('the processes of receiving users', () => {
  it('are told of when they can not be started, also the one that was started ahead', async () => {
    const deliverers = new Deliverers(['-e', '0']);
    deliverers.prepare('/nonexistent');
    await new Promise((resolve) => setImmediate(resolve));
    const reason = await new Promise<string>((resolve) => {
      const stream = deliverers.start({ name: '1', uid: 1, gid: 1, onError: resolve }, '/nonexistent');
      assert.equal(stream, undefined);
    });
    assert.match(reason, /ENOENT/);
    deliverers.stop();
  });
});
