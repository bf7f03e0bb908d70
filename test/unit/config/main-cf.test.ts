import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMainFile } from '#config';

describe('main.cf', () => {
  it('warns of a name that is set again', () => {
    const { warnings, byName } = parseMainFile('main.cf', 'a = 1\nb = 2\na = 3\n');
    assert.deepEqual(warnings, ['main.cf, line 3: overriding earlier entry: a=1']);
    assert.equal(byName.get('a')?.value, '3');
  });
  it('says nothing where it is set to the same', () => {
    assert.deepEqual(parseMainFile('main.cf', 'a = 1\na =  1\n').warnings, []);
  });
});
