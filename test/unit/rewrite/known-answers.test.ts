import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rememberLastAnswer, type Resolution, type Rewriter } from '#rewrite';

describe('remembering where the last address led', () => {
  it('asks once for each change of the question, and again after a second', () => {
    const asked: string[] = [];
    const resolution: Resolution = { kind: 'failed', reason: 'x' };
    const rewriter: Rewriter = {
      rewrite: (address) => address,
      resolve: (sender, recipient, use = 'mail') => {
        asked.push(`${sender} ${recipient} ${use}`);
        return resolution;
      },
      isLocalDomain: () => 'no',
      isVirtualAliasDomain: () => 'no',
      isVirtualMailboxDomain: () => 'no',
      isRelayDomain: () => 'no',
      ownAddresses: new Set(),
    };
    let clock = 0;
    const remembering = rememberLastAnswer(rewriter, () => clock);
    for (const recipient of ['r', 'r', 'q', 'r']) assert.equal(remembering.resolve('s', recipient), resolution);
    void remembering.resolve('t', 'r');
    void remembering.resolve('t', 'r', 'verify');
    clock = 1001;
    void remembering.resolve('t', 'r', 'verify');
    assert.deepEqual(asked, ['s r mail', 's q mail', 's r mail', 't r mail', 't r verify', 't r verify']);
  });
});
