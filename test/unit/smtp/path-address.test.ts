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

  it('is taken out of one pair of brackets, closed or not inside', () => {
    const lax = { strict: false };
    assert.equal(pathAddress('<a@[192.0.2.1>', lax), 'a@[192.0.2.1]');
    assert.equal(pathAddress('<a@example.com(x>', lax), 'a@example.com');
    assert.equal(pathAddress('<<a@example.com>>', lax), 'a@example.com');
    assert.equal(pathAddress('<a\\ b@example.com>', lax), 'a b@example.com');
  });

  it('is one: that of a group will do, two will not', () => {
    assert.equal(pathAddress('<group:a@example.com;>', { strict: false }), 'a@example.com');
    assert.equal(pathAddress('<a@example.com,b@example.com>', { strict: false }), undefined);
  });

  it('loses the outermost source route', () => {
    assert.equal(pathAddress('<@a.example,@b.example:c@example.com>', { strict: true }), 'c@example.com');
    assert.equal(pathAddress('<@a.example:@b.example:c@example.com>', { strict: false }), '@b.example:c@example.com');
  });
});
