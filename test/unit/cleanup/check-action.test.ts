import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Decisions } from '../../../src/cleanup/decisions.ts';
import { type CheckAction, readCheckAction } from '../../../src/cleanup/check-action.ts';

function read(value: string, isHeader = true): { readonly action: CheckAction; readonly warnings: readonly string[] } {
  const warnings: string[] = [];
  const action = readCheckAction(value, { title: 'header_checks', isHeader }, (text) => warnings.push(text));
  return { action, warnings };
}

describe('an action of header_checks and body_checks', () => {
  it('is read whatever its case, with a status code of its own', () => {
    assert.deepEqual(read('reject 4.2.0 later').action, { kind: 'reject', dsn: '4.2.0', text: 'later' });
    assert.deepEqual(read('REJECT').action, { kind: 'reject', dsn: '5.7.1', text: 'message content rejected' });
    assert.deepEqual(read('REJECT 5.7.8').action, { kind: 'reject', dsn: '5.7.8', text: '' });
    assert.deepEqual(read('REJECT 2.1.0 fine'), {
      action: { kind: 'reject', dsn: '4.1.0', text: 'fine' },
      warnings: ['bad DSN action in 2.1.0 fine -- need 4.x.x or 5.x.x'],
    });
  });

  it('ends the checks where postconf says so', () => {
    for (const [value, kind] of [
      ['DISCARD', 'last'],
      ['PASS', 'last'],
      ['REDIRECT a@b', 'last'],
      ['HOLD', 'keep'],
      ['BCC a@b', 'keep'],
      ['FILTER smtp:x', 'keep'],
      ['WARN x', 'keep'],
    ] as const)
      assert.equal(read(value).action.kind, kind, value);
  });

  it('is not used and warned of when it is wrong', () => {
    for (const [value, warning] of [
      ['FILTER', 'missing FILTER command argument in header_checks map'],
      ['FILTER smtp', 'bad FILTER command smtp in header_checks -- need transport:destination'],
      ['REDIRECT a', 'bad REDIRECT target "a" in header_checks map -- need user@domain'],
      ['PREPEND', 'PREPEND action without text in header_checks map'],
      [
        'REPLACE no header',
        'bad REPLACE header text "no header" in header_checks map -- need "headername: headervalue"',
      ],
      ['NONSENSE x', 'unknown command in header_checks map: NONSENSE x'],
    ] as const) {
      const { action, warnings } = read(value);
      assert.deepEqual(action, { kind: 'none' }, value);
      assert.deepEqual(warnings, [warning]);
    }
  });

  it('puts any text into a body', () => {
    assert.deepEqual(read('REPLACE any words', false).action, { kind: 'replace', text: 'any words' });
  });

  it('sends redirected mail past the content filter', () => {
    const decisions = new Decisions('smtp:[127.0.0.1]:10025');
    decisions.apply({ kind: 'filter', destination: 'smtp:other' });
    assert.equal(decisions.contentFilter, 'smtp:other');
    decisions.apply({ kind: 'redirect', address: 'b@x' });
    assert.equal(decisions.contentFilter, '');
  });
});
