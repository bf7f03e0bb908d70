import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ParameterRegistry, parseMainFile } from '#config';
import { findKnownNames } from '../../../src/cli/postconf/known-names.ts';

function warningsAbout(text: string): readonly string[] {
  const warnings: string[] = [];
  const main = parseMainFile('main.cf', text);
  findKnownNames(main, new Map(), new ParameterRegistry(), (warning) => warnings.push(warning));
  return warnings;
}

describe('names in main.cf', () => {
  it('are warned of when a value refers to one that nothing defines', () => {
    assert.deepEqual(warningsAbout('relayhost = $nosuch\n'), ['main.cf: undefined parameter: nosuch']);
  });

  it('are known when the user defines them', () => {
    assert.deepEqual(warningsAbout('ours = a\nrelayhost = $ours\n'), []);
  });

  it('that stand in for a recipient, a client or a list are not looked up', () => {
    const text = 'forward_path = $home/.forward\nluser_relay = $user@x\ndefault_rbl_reply = $rbl_code no\n';
    assert.deepEqual(warningsAbout(text), []);
  });
});
