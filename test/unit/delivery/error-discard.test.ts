import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusOfNexthop } from '../../../src/delivery/nexthop-text.ts';

const bounced = { code: '5.0.0', reason: 'Address is undeliverable' };

describe('the text of error, retry and discard', () => {
  const rows: readonly (readonly [nexthop: string, code: string, reason: string])[] = [
    ['no mail here', '5.0.0', 'no mail here'],
    ['5.7.1 not for you', '5.7.1', 'not for you'],
    ['4.7.1 odd', '5.0.0', 'odd'],
    ['', '5.0.0', 'Address is undeliverable'],
    ['5.1.1', '5.1.1', ''],
    ['5.7 is no code', '5.0.0', '5.7 is no code'],
  ];
  for (const [nexthop, code, reason] of rows) {
    it(`reads "${nexthop}" as ${code} ${reason}`, () => {
      const ignored: string[] = [];
      assert.deepEqual(
        statusOfNexthop(nexthop, bounced, (ignoredCode) => ignored.push(ignoredCode)),
        { code, reason },
      );
      assert.deepEqual(ignored, /^[24]\./.test(nexthop) ? [nexthop.split(' ')[0]] : [], nexthop);
    });
  }
});
