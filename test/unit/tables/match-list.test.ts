import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('a match list', () => {
  it('ends at a comment behind its elements, with a warning', async () => {
    using bench = new Workbench();
    const elements = ['192.0.2.1', '#', 'the', 'gateway', '192.0.2.2'].map((text) => ({ text }));
    const list = bench.opener.matchList('mynetworks', 'namadr', elements);
    assert.equal(await list.matches('client.example', '192.0.2.1'), 'yes');
    assert.equal(await list.matches('client.example', '192.0.2.2'), 'no');
    assert.deepEqual(bench.warnings, [
      'mynetworks: #comment after other text is not allowed: # the gateway 192.0.2....',
    ]);
  });
});
