import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { answerCounts, readAnswerFilter } from '#dns';

describe('filters for answers of DNS lists', () => {
  const counts = (filter: string, address: string): boolean => {
    const read = readAnswerFilter(filter);
    assert.ok(!('problem' in read), filter);
    return answerCounts(read, address);
  };

  it('let through what is in every field', () => {
    assert.ok(counts('127.0.0.2', '127.0.0.2'));
    assert.ok(counts('127.0.[0;5].[2..9;11]', '127.0.5.9'));
    assert.ok(counts('[127.0.0.[1;2]]', '127.0.0.1'));
    assert.ok(!counts('127.0.0.[2..9]', '127.0.0.10'));
    assert.ok(!counts('127.0.0.[2..9]', '127.0.1.5'));
  });

  it('say where they make no sense', () => {
    const problem = (text: string): string => {
      const read = readAnswerFilter(text);
      return 'problem' in read ? read.problem : 'none';
    };
    assert.equal(problem('127.0.0'), 'need "." at "127.0.0><"');
    assert.equal(problem('127.0.0.x'), 'need decimal number 0..255 or "[" at "127.0.0.>x<"');
    assert.equal(problem('127.0.0.256'), 'need decimal number 0..255 or "[" at "127.0.0.>256<"');
    assert.equal(problem('127.0.0.[5..2]'), 'numeric range error at "127.0.0.[5..>2<]"');
    assert.equal(problem('127.0.0.[1,2]'), 'need ";" or "]" at "127.0.0.[1>,<2]"');
    assert.equal(problem('127.0.0.[]'), 'need decimal number 0..255 at "127.0.0.[>]<"');
    assert.equal(problem('127.0.0.1.5'), 'garbage after pattern at "127.0.0.1>.<5"');
    assert.equal(problem('[127.0.0.1'), 'missing "]" character');
    assert.equal(problem(''), 'empty address pattern');
  });

  it('never fail on any text, and let an address through that is written as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('[', ']', '.', ';', '1', '25', '300', 'x'), maxLength: 24 }),
        (text) => {
          readAnswerFilter(text);
        },
      ),
    );
    fc.assert(fc.property(fc.ipV4(), (address) => counts(address, address)));
  });
});
