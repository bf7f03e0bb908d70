import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTime } from '#config';
import { parseInteger } from '../../../src/config/values.ts';

describe('values', () => {
  it('are times with a unit right behind the number, of 32 bits', () => {
    assert.equal(parseTime('5d', 's'), 432_000);
    assert.equal(parseTime('+2', 'm'), 120);
    for (const text of ['5 d', '5x', '-1', '', '99999999999w', '2147483648'])
      assert.equal(parseTime(text, 's'), undefined);
  });

  it('are whole numbers with a sign or without', () => {
    assert.deepEqual(['7', '+7', '-7'].map(parseInteger), [7, 7, -7]);
    for (const text of ['7k', '1.5', '0x10', '', '99999999999999999999']) assert.equal(parseInteger(text), undefined);
  });
});
