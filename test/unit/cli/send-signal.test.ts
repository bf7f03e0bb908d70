import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { sendSignal } from '../../../src/cli/postfix/send-signal.ts';

describe('a signal', () => {
  it('to a process that is gone, or a group that never was, is no failure', async () => {
    const child = spawn('sleep', ['30']);
    const pid = child.pid ?? 0;
    const ended = once(child, 'exit');
    assert.equal(sendSignal(-pid, 'SIGTERM'), false);
    assert.equal(sendSignal(pid, 'SIGTERM'), true);
    await ended;
    assert.equal(sendSignal(pid, 'SIGTERM'), false);
  });
});
