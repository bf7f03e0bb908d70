import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readAliasSource } from '#tables';

describe('a line of an alias file', () => {
  it('has one name, and something it stands for', () => {
    for (const line of ['a, b: c', 'a:', ': b', 'a b']) {
      assert.deepEqual(readAliasSource('al', Buffer.from(`${line}\n`)), [
        { kind: 'warning', text: 'al, line 1: need name:value pair' },
      ]);
    }
  });

  it('has a name without a domain, which may stand behind % too', () => {
    for (const name of ['a@b', 'a%b', '%a']) {
      assert.deepEqual(readAliasSource('al', Buffer.from(`${name}: c\n`)), [
        { kind: 'warning', text: 'al, line 1: name must be local and have no domain' },
      ]);
    }
    assert.equal(readAliasSource('al', Buffer.from('"a%b": c\n'))[0]?.kind, 'entry');
  });
});
