import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Turn } from '#smtp';
import { SessionInput } from '../../../src/smtpd/session-input.ts';

const limits = {
  lineLengthLimit: 2048,
  timeoutMs: 3000,
  perRequestDeadline: true,
  minDataRate: 100,
  daemonTimeoutMs: 18_000_000,
};

function inputWithDeadline(): SessionInput {
  return new SessionInput(new PassThrough(), limits, Date.now, new Turn());
}

describe('input of a session', () => {
  const openInputs: SessionInput[] = [];
  afterEach(() => {
    for (const input of openInputs.splice(0)) input.close();
  });

  function openInput(stream = new PassThrough()): SessionInput {
    const input = new SessionInput(stream, { ...limits, perRequestDeadline: false }, Date.now, new Turn());
    openInputs.push(input);
    return input;
  }

  it('has daemon_timeout for a command with its content, though each piece comes in time', async (t) => {
    const start = performance.now();
    let passedMs = 0;
    t.mock.method(performance, 'now', () => start + passedMs);
    const input = openInput();
    input.beginRequest('command');
    const waited = async (): Promise<string> => {
      const result = input.wait();
      input.take(Buffer.from('x'));
      return result;
    };
    input.beginRequest('content');
    passedMs = limits.daemonTimeoutMs;
    assert.equal(await waited(), 'input');
    passedMs += 1;
    assert.equal(await waited(), 'timeout');
    input.beginRequest('command');
    assert.equal(await waited(), 'input');
  });

  it('is worked on when all that came in a turn has been read', async () => {
    const input = openInput();
    let isTold = false;
    void input.wait().then(() => (isTold = true));
    input.take(Buffer.from('NOOP\r\n'));
    await Promise.resolve();
    assert.equal(isTold, false);
    await setImmediate();
    assert.equal(isTold, true);
  });

  it('does not pile up until then', async () => {
    const input = openInput();
    const waiting = input.wait();
    let isTold = false;
    void waiting.then(() => (isTold = true));
    input.take(Buffer.alloc(64 * 1024));
    await Promise.resolve();
    assert.equal(isTold, true);
  });

  it('comes before the end of the stream, also where both came in one turn', async () => {
    const stream = new PassThrough();
    const input = openInput(stream);
    const first = input.wait();
    input.take(Buffer.from('QUIT\r\n'));
    stream.emit('end');
    assert.equal(await first, 'input');
    assert.equal(await input.wait(), 'closed');
  });

  it('is told of once', async () => {
    const input = openInput();
    input.take(Buffer.from('NOOP\r\n'));
    assert.equal(await input.wait(), 'input');
    const next = input.wait();
    assert.equal(await Promise.race([next, setImmediate('nothing'), setImmediate()]), 'nothing');
    input.wake();
    assert.equal(await next, 'woken');
  });
});

describe('a deadline for the whole request', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'] }));
  afterEach(() => mock.timers.reset());

  it('holds on while content comes at the rate that is asked for, however long it takes', async () => {
    const input = inputWithDeadline();
    input.beginRequest('content');
    for (let second = 0; second < 20; second += 1) {
      const result = input.wait();
      mock.timers.tick(1000);
      input.take(Buffer.alloc(100));
      assert.equal(await result, 'input');
    }
  });

  it('ends when content comes more slowly', async () => {
    const input = inputWithDeadline();
    input.beginRequest('content');
    const results: string[] = [];
    for (let second = 0; second < 20 && results.at(-1) !== 'timeout'; second += 1) {
      const result = input.wait();
      mock.timers.tick(1000);
      input.take(Buffer.alloc(20));
      results.push(await result);
    }
    assert.deepEqual(results, ['input', 'input', 'input', 'timeout']);
  });

  it('is no later for a command whose bytes come one after the other', async () => {
    const input = inputWithDeadline();
    input.beginRequest('command');
    const results: string[] = [];
    for (let second = 0; second < 20 && results.at(-1) !== 'timeout'; second += 1) {
      const result = input.wait();
      mock.timers.tick(1000);
      input.take(Buffer.alloc(100));
      results.push(await result);
    }
    assert.deepEqual(results, ['input', 'input', 'timeout']);
  });

  it('begins anew with each request', async () => {
    const input = inputWithDeadline();
    for (let request = 0; request < 5; request += 1) {
      input.beginRequest('command');
      const result = input.wait();
      mock.timers.tick(2900);
      input.take(Buffer.from('NOOP\r\n'));
      assert.equal(await result, 'input');
    }
  });
});
