import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MailboxText, type TextShape } from '../../src/delivery/mailbox-text.ts';

const word = fc.constantFrom(
  'From ',
  'From',
  'F',
  'r',
  'o',
  'm',
  ' ',
  '.',
  '..',
  '\r\n',
  '\r',
  '\n',
  'x',
  '>From ',
  'ä',
);
const content = fc.array(word, { maxLength: 30 }).map((words) => Buffer.from(words.join('')));
const shape: fc.Arbitrary<TextShape> = fc.record({
  quotesFrom: fc.boolean(),
  stuffsDots: fc.boolean(),
  lineEnd: fc.constantFrom('\n', '\r\n'),
});

function converted(bytes: Buffer, rules: TextShape, cuts: readonly number[]): string {
  const text = new MailboxText(rules);
  let out = '';
  let at = 0;
  for (const cut of [...cuts.map((each) => each % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]) {
    out += text.push(bytes.subarray(at, cut));
    at = cut;
  }
  return out + text.end();
}

describe('mailbox text', () => {
  it('is the same for any split of the content', () => {
    fc.assert(
      fc.property(content, shape, fc.array(fc.nat(), { maxLength: 8 }), (bytes, rules, cuts) => {
        assert.equal(converted(bytes, rules, cuts), converted(bytes, rules, []));
      }),
    );
  });

  it('quotes, stuffs and ends lines', () => {
    const bytes = Buffer.from('From a\r\n.b\r\nFrom c\r\nfrom d\r\nlast');
    assert.equal(
      converted(bytes, { quotesFrom: true, stuffsDots: false, lineEnd: '\n' }, []),
      '>From a\n.b\n>From c\nfrom d\nlast\n',
    );
    assert.equal(
      converted(bytes, { quotesFrom: false, stuffsDots: true, lineEnd: '\r\n' }, []),
      'From a\r\n..b\r\nFrom c\r\nfrom d\r\nlast\r\n',
    );
    assert.equal(converted(Buffer.alloc(0), { quotesFrom: true, stuffsDots: true, lineEnd: '\n' }, []), '');
  });
});
