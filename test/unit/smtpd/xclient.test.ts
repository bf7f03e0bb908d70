import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyOverrides } from '../../../src/smtpd/commands/xclient.ts';
import { localClient } from '../../../src/smtpd/session-state.ts';

/** The names and their states after an XCLIENT command, or its refusal. */
function namesAfter(...words: readonly string[]): readonly string[] | string {
  const start = {
    client: localClient(),
    helo: undefined,
    protocol: undefined,
    login: undefined,
    ident: undefined,
    source: undefined,
  };
  const { override, refusal } = applyOverrides(words, start, { command: 'XCLIENT', families: ['ipv4'], isUtf8: true });
  const { name, nameStatus, reverseName, reverseNameStatus } = override.client;
  return refusal ?? [`${name} ${nameStatus}`, `${reverseName} ${reverseNameStatus}`];
}

describe('names that XCLIENT tells', () => {
  it('are good for both directions, but what is said of the other one later counts', () => {
    assert.deepEqual(namesAfter('NAME=a.example'), ['a.example ok', 'a.example ok']);
    assert.deepEqual(namesAfter('REVERSE_NAME=[UNAVAILABLE]', 'NAME=a.example'), ['a.example ok', 'a.example ok']);
    assert.deepEqual(namesAfter('NAME=a.example', 'REVERSE_NAME=b.example'), ['a.example ok', 'b.example ok']);
  });

  it('say nothing of the other direction when they are not there', () => {
    assert.deepEqual(namesAfter('NAME=[UNAVAILABLE]'), ['unknown unknown', 'localhost ok']);
    assert.deepEqual(namesAfter('NAME=[TEMPUNAVAIL]'), ['unknown tempfail', 'localhost ok']);
    assert.deepEqual(namesAfter('REVERSE_NAME=[TEMPUNAVAIL]'), ['localhost ok', 'unknown tempfail']);
  });

  it('have a name before the value', () => {
    assert.equal(namesAfter('=x'), '501 5.5.4 Bad XCLIENT attribute name: ');
    assert.equal(namesAfter('NAME='), '501 5.5.4 Error: attribute=value expected');
  });
});
