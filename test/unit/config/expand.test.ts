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
    assert.equal(expanded('[$( {a} == {a} ? {x} : {y} )]'), '[x]');
  });

  it('compares with the white space that stands in the braces', () => {
    assert.equal(expanded('${{a}=={ a }?{same}:{other}}'), 'other');
  });

  it('takes nothing behind the braces', () => {
    assert.equal(expanded('${host?{a} : {b} c}'), 'unexpected input at: "...b}>>>c"');
    assert.equal(expanded('${host:{a}?{b}}'), 'unexpected input at: "...a}>>>?{b}"');
    assert.equal(expanded('${{a}=={a} b}'), '"?" or ":" expected at: "...}>>>b"');
  });

  it('takes a name that is empty as one that nothing defines', () => {
    assert.equal(expanded('${:a}${?b}${ }.'), 'a.');
    assert.equal(expanded('${}'), 'empty macro name: "${}"');
  });

  it('shows all that stands before the place where it stumbles', () => {
    const long = 'long '.repeat(10);
    assert.equal(expanded(`\${{${long}} <level x}`), `"{expression}" expected at: "...{${long}} <>>> x"`);
    assert.equal(expanded(`\${host?{${long}} x}`), `":" expected at: "...${long}}>>>x"`);
  });

  it('takes no sign or word that only begins as an operator does', () => {
    assert.match(expanded('${{a} === {b}}'), /^"==" or .* expected at: "\.\.\.a}>>>=== {b}"$/);
    assert.equal(expanded('${{a} <levels {b}}'), 'bad operator suffix at: "...<>>>levels"');
  });

  it('says of a comparison alone whether it holds', () => {
    assert.equal(expanded('[${{a}=={a}}] [${{a}!={a}}]'), '[true] []');
  });
});
