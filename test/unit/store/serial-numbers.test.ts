import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serialBlock } from '../../../src/store/sqlite/schema.ts';
import { SerialNumbers } from '../../../src/store/sqlite/serial-numbers.ts';

describe('serial numbers', () => {
  it('come to no end when a block could not be fetched once', async () => {
    let asked = 0;
    let end = 0;
    const warnings: string[] = [];
    const serials = new SerialNumbers(
      {
        run: () => {
          asked += 1;
          if (asked === 2) return Promise.reject(new Error('disk trouble'));
          end += serialBlock;
          return Promise.resolve([end]);
        },
      },
      (text) => warnings.push(text),
    );
    await serials.reserve();
    const seen = new Set<number>();
    for (let i = 0; i < 2 * serialBlock; i += 1) {
      seen.add(serials.take());
      if (i % 1024 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(seen.size, 2 * serialBlock);
    assert.equal(warnings.length, 1);
  });
});
