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

  it('takes an IPv6 network without brackets for a table of a type that there is not', async () => {
    using bench = new Workbench();
    const elements = ['[2001:db9::]/32', '2001:db8::/32'].map((text) => ({ text }));
    const list = bench.opener.matchList('mynetworks', 'namadr', elements);
    assert.equal(await list.matches('client.example', '2001:db9::1'), 'yes');
    assert.equal(typeof (await list.matches('client.example', '2001:db8::1')), 'object');
    assert.deepEqual(bench.errors, ['unsupported dictionary type: 2001']);
  });
});
