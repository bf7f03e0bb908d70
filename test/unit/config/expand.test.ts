import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expandValue } from '../../../src/config/expand.ts';

function expanded(text: string): string {
  const expansion = expandValue(text, (name) => ({ host: 'h.example', none: '' })[name]);
  return expansion.kind === 'ok' ? expansion.text : expansion.reason;
}

describe('the expansion of a value', () => {
  it('keeps the white space in what it chooses from', () => {
    assert.equal(expanded('a${none?{ x}:{ y }}b'), 'a y b');
    assert.equal(expanded('[${host? x }]'), '[ x ]');
    assert.equal(expanded('[${ host ? {x} : {y} }]'), '[x]');
    assert.equal(expanded('[${{a} == {a} ? { x } : { y }}]'), '[ x ]');
  });

  it('compares with the white space that stands in the braces', () => {
    assert.equal(expanded('${{a}=={ a }?{same}:{other}}'), 'other');
  });

  it('takes nothing behind the braces', () => {
    assert.equal(expanded('${host?{a} : {b} c}'), 'unexpected input at: "...b}>>>c"');
  });

  it('says of a comparison alone whether it holds', () => {
    assert.equal(expanded('[${{a}=={a}}] [${{a}!={a}}]'), '[true] []');
  });
});
