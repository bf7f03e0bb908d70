import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AddressLookupOptions, findByAddress, mapAddress, type TableList } from '#tables';
import { Workbench } from './workbench.ts';

const options: AddressLookupOptions = {
  recipientDelimiter: '+',
  ownerRequestSpecial: true,
  doubleBounceName: 'double-bounce',
  isLocalDomain: (domain) => (domain === 'local.example' ? 'yes' : 'no'),
};

/** The value that a table of these lines gives. */
async function answer(lines: readonly string[], address: string): Promise<string | undefined> {
  using bench = new Workbench();
  const list = bench.opener.list(`texthash:${bench.write('map', ...lines)}`);
  const found = await findByAddress(list, address, options);
  return found.kind === 'found' ? found.value : undefined;
}

describe('looking an address up', () => {
  it('goes from the whole address to its domain', async () => {
    const lines = ['@a.example 4', 'u@a.example 2', 'u+x@a.example 1', 'u 3'];
    assert.equal(await answer(lines, 'u+x@a.example'), '1');
    assert.equal(await answer(lines, 'u+y@a.example'), '2');
    assert.equal(await answer(lines, 'v@a.example'), '4');
    assert.equal(await answer(lines, 'u@b.example'), undefined);
    assert.equal(await answer(lines, 'u+x@local.example'), '3');
  });

  it('asks with quotes where they belong, then without', async () => {
    const asked: string[] = [];
    const tables: TableList = {
      title: 'spy',
      isEmpty: false,
      tables: [],
      lookup: (key) => {
        asked.push(key);
        return { kind: 'missing' };
      },
    };
    assert.deepEqual(await findByAddress(tables, 'a b+x@local.example', options), { kind: 'missing' });
    assert.deepEqual(asked, [
      '"a b+x"@local.example',
      'a b+x@local.example',
      '"a b"@local.example',
      'a b@local.example',
      '"a b+x"',
      'a b+x',
      '"a b"',
      'a b',
      '@local.example',
    ]);
  });

  it('completes a result before the extension is appended', async () => {
    using bench = new Workbench();
    const list = bench.opener.list(`texthash:${bench.write('map', 'u@a.example b%h, "c%d"')}`);
    const mapped = await mapAddress(list, 'u+x@a.example', {
      ...options,
      propagatesExtension: true,
      complete: (address, localPart) => {
        const at = localPart?.percent ?? -1;
        return at < 0 ? `${address}@o` : `${address.slice(0, at)}@${address.slice(at + 1)}`;
      },
    });
    assert.deepEqual(mapped, { kind: 'mapped', addresses: ['b+x@h', 'c%d+x@o'] });
  });
});
