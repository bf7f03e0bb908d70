import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rememberResolutions, type Resolution, type Rewriter } from '#rewrite';

describe('remembering where addresses led', () => {
  const resolution: Resolution = { kind: 'failed', reason: 'x' };
  const setUp = () => {
    const asked: string[] = [];
    const clock = { now: 0 };
    const rewriter: Rewriter = {
      rewrite: (address) => address,
      resolve: (sender, recipient, use = 'mail') => {
        asked.push(`${sender} ${recipient} ${use}`);
        return resolution;
      },
      isVirtualAliasDomain: () => 'no',
      isVirtualMailboxDomain: () => 'no',
      isRelayDomain: () => 'no',
      ownAddresses: new Set(),
    };
    return { asked, clock, remembering: rememberResolutions(rewriter, () => clock.now) };
  };

  it('asks about each once, and again after a second', () => {
    const { asked, clock, remembering } = setUp();
    for (const recipient of ['r', 'q', 'r']) assert.equal(remembering.resolve('s', recipient), resolution);
    void remembering.resolve('s', 'r', 'verify');
    void remembering.resolve('t', 'r');
    clock.now = 1001;
    void remembering.resolve('t', 'r');
    assert.deepEqual(asked, ['s r mail', 's q mail', 's r verify', 't r mail', 't r mail']);
  });

  it('keeps a hundred', () => {
    const { asked, remembering } = setUp();
    for (let i = 0; i <= 100; i += 1) void remembering.resolve('', `r${i}`);
    void remembering.resolve('', 'r1');
    void remembering.resolve('', 'r0');
    assert.deepEqual(asked.slice(100), [' r100 mail', ' r0 mail']);
  });
});
