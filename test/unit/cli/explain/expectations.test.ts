import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectedText, holds, parseExpectations } from '../../../../src/cli/explain/expectations.ts';
import type { RecipientReport } from '../../../../src/cli/explain/report.ts';

const line = 'client 192.0.2.1 helo x from a@b to c@d';

function got(verdict: RecipientReport['verdict'], code: number, dsn: string): RecipientReport {
  return { recipient: 'c@d', verdict, reply: { code, dsn, lines: [`${dsn} text`] } };
}

/** Whether `=> EXPECTED` holds for what came. */
function agrees(expected: string, report: RecipientReport): boolean {
  const [expectation] = parseExpectations(`${line} => ${expected}`).expectations;
  assert.ok(expectation !== undefined, expected);
  return holds(expectation.expected, report);
}

describe('expectations of a policy', () => {
  it('are read with comments, empty lines and several recipients', () => {
    const { expectations, unreadable } = parseExpectations(
      `# mine\n\n  client 2001:db8::1 name mx.example reverse-name r.example helo x from <> to a@b to "c d#e"@f login joe tls yes service submission => accept # yes\r\n`,
    );
    assert.deepEqual(unreadable, []);
    assert.equal(expectations.length, 1);
    const [expectation] = expectations;
    assert.equal(expectation?.line, 3);
    assert.equal(expectation?.service, 'submission');
    assert.deepEqual(expectation?.question, {
      client: '2001:db8::1',
      name: 'mx.example',
      reverseName: 'r.example',
      helo: 'x',
      sender: '',
      recipients: ['a@b', '"c d#e"@f'],
      login: 'joe',
      tls: true,
    });
  });

  it('say EHLO as an orderly client does where they name no helo', () => {
    const heloOf = (client: string): string | undefined =>
      parseExpectations(`client ${client} from a@b to c@d => accept`).expectations[0]?.question.helo;
    assert.equal(heloOf('192.0.2.1'), '[192.0.2.1]');
    assert.equal(heloOf('2001:db8::1'), '[IPv6:2001:db8::1]');
    assert.equal(heloOf('192.0.2.1 name mx.example'), 'mx.example');
    assert.equal(heloOf('192.0.2.1 name unknown'), '[192.0.2.1]');
  });

  it('say with their line what is wrong with them', () => {
    const wrong: readonly (readonly [text: string, problem: RegExp])[] = [
      [line, /no =>/],
      [`${line} => maybe`, /one of accept, reject/],
      [`${line} => reject 5.7.1 550`, /not 550/],
      [`${line} => reject soon`, /not soon/],
      [`${line} to => accept`, /nothing after to/],
      [`${line} from e@f => accept`, /from is given twice/],
      [`${line} rcpt e@f => accept`, /not one of client/],
      [`${line} tls maybe => accept`, /yes or no, not maybe/],
      ['client 192.0.2.1 helo x to c@d => accept', /missing: from/],
      ['client mx.example helo x from a@b to c@d => accept', /not an IP address: mx\.example/],
    ];
    const { expectations, unreadable } = parseExpectations(wrong.map(([text]) => text).join('\n'));
    assert.deepEqual(expectations, []);
    assert.deepEqual(
      unreadable.map((one) => one.line),
      wrong.map((_, i) => i + 1),
    );
    for (const [i, [, problem]] of wrong.entries()) assert.match(unreadable[i]?.problem ?? '', problem);
  });

  it('hold for any refusal where they say reject, and only for one for now where they say defer', () => {
    assert.ok(agrees('reject', got('reject', 554, '5.7.1')));
    assert.ok(agrees('reject', got('defer', 450, '4.7.1')));
    assert.ok(agrees('defer', got('defer', 450, '4.7.1')));
    assert.ok(!agrees('defer', got('reject', 554, '5.7.1')));
    assert.ok(!agrees('reject', got('accept', 250, '2.1.5')));
    assert.ok(!agrees('accept', got('hold', 250, '2.1.5')));
    assert.ok(agrees('reject', { recipient: 'c@d', verdict: 'hangup' }));
  });

  it('compare reply code, and status code by its parts', () => {
    const report = got('reject', 550, '5.7.10');
    for (const expected of ['reject 550', 'reject 5', 'reject 5.7', 'reject 5.7.10', 'reject 550 5.7.10'])
      assert.ok(agrees(expected, report), expected);
    for (const expected of ['reject 554', 'reject 4', 'reject 5.7.1', 'reject 5.1', 'reject 554 5.7.10'])
      assert.ok(!agrees(expected, report), expected);
  });

  it('are printed as written', () => {
    const [expectation] = parseExpectations(`${line} => REJECT 550 5.7.1`).expectations;
    assert.ok(expectation !== undefined);
    assert.equal(expectedText(expectation.expected), 'reject 550 5.7.1');
  });
});
