import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathAddress } from '#smtp';

describe('the address of a command', () => {
  it('may stand behind a name, in brackets', () => {
    const lax = { strict: false };
    assert.equal(pathAddress('Alice Example <alice@example.com>', lax), 'alice@example.com');
    assert.equal(pathAddress('"Alice Example" <alice@example.com>', lax), 'alice@example.com');
    assert.equal(pathAddress('Alice Example <alice@example.com>', { strict: true }), undefined);
  });

  it('has no blank between its words', () => {
    for (const text of ['Alice Example', '<al ice@example.com>', '<alice@example.com> more'])
      assert.equal(pathAddress(text, { strict: false }), undefined, text);
  });
});
