import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Resolver, withSearch } from '#dns';

/** What is asked of DNS for a name that is nowhere. */
async function asked(name: string, defaultDomain: boolean, searchAll: boolean, ndots = 1): Promise<string> {
  const names: string[] = [];
  const nowhere: Resolver = {
    lookup: (one) => {
      names.push(one);
      return Promise.resolve({ kind: 'noName', reason: one });
    },
  };
  const conf = (): { search: string[]; ndots: number } => ({ search: ['a.example', 'b.example'], ndots });
  const answer = await withSearch(nowhere, { conf, defaultDomain, searchAll }).lookup(name, 'A');
  assert.deepEqual(answer, { kind: 'noName', reason: name });
  return names.join(' ');
}

describe('the search list', () => {
  it('gives names without a dot the first domain with res_defnames, and all domains with both options', async () => {
    assert.equal(await asked('host', true, false), 'host.a.example host');
    assert.equal(await asked('host', true, true), 'host.a.example host.b.example host');
    assert.equal(await asked('host', false, true), 'host');
  });

  it('is for names with a dot with res_dnsrch alone, behind the name itself where it has dots enough', async () => {
    assert.equal(await asked('host.sub', true, false), 'host.sub');
    assert.equal(await asked('host.sub', false, true), 'host.sub host.sub.a.example host.sub.b.example');
    assert.equal(await asked('host.sub', false, true, 2), 'host.sub.a.example host.sub.b.example host.sub');
  });

  it('is not for names that end with a dot', async () => {
    assert.equal(await asked('host.', true, true), 'host.');
  });
});
