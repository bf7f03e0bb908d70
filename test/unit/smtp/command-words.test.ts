import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePath, splitCommand } from '#smtp';

const lax = { strict: false };
const strict = { strict: true };

describe('the path of MAIL and RCPT', () => {
  const read = (line: string, syntax = lax): string => {
    const result = parsePath(splitCommand(line), 'FROM', syntax);
    return result.kind === 'ok' ? [result.address, ...result.parameters].join(' ') : result.kind;
  };

  it('is read in the forms that Postfix takes', () => {
    const forms: Readonly<Record<string, string>> = {
      'MAIL FROM:<a@b.example>': 'a@b.example',
      'mail from: a@b.example': 'a@b.example',
      'MAIL FROM:<> SIZE=1  BODY=7BIT': ' SIZE=1 BODY=7BIT',
      'MAIL FROM:<a@b.example>(note)': 'a@b.example',
      'MAIL FROM:<a(note)@b.example>': 'a@b.example',
      'MAIL FROM:<"john doe"@b.example>': 'john doe@b.example',
      'MAIL FROM:<<a@b.example>>': 'a@b.example',
      'MAIL FROM:a@b.example>': 'a@b.example',
      'MAIL FROM:Some Body': 'Some Body',
    };
    for (const [line, found] of Object.entries(forms)) assert.equal(read(line), found, line);
  });

  it('is refused when it is none, or more than one', () => {
    for (const line of ['MAIL', 'MAIL FROM', 'MAIL FROM:', 'MAIL FROM : <a@b>', 'MAIL TO:<a@b>', 'MAIL <a@b>'])
      assert.equal(read(line), 'syntax', line);
    for (const line of ['MAIL FROM:<a@b', 'MAIL FROM:<"a@b>', 'MAIL FROM:<a@b>,<c@d>', 'MAIL FROM:<al ice@b>'])
      assert.equal(read(line), 'badAddress', line);
  });

  it('is read without its source route, quotes kept apart', () => {
    for (const rules of [undefined, strict]) {
      assert.equal(read('MAIL FROM:<@r:a@b>', rules), 'a@b');
      assert.equal(read('MAIL FROM:<@r,@s:a@b>', rules), 'a@b');
    }
    assert.equal(read('MAIL FROM:<"@r:a"@b>'), '@r:a@b');
  });

  it('needs brackets with strict_rfc821_envelopes', () => {
    assert.equal(read('MAIL FROM:<a@b>', strict), 'a@b');
    for (const line of ['MAIL FROM:a@b', 'MAIL FROM:<a@b>(note)', 'MAIL FROM:<@r>', 'MAIL FROM:<><a@b>'])
      assert.equal(read(line, strict), 'badAddress', line);
  });

  it('are no addresses: words that touch a quoted one, a mere @, two in a row', () => {
    for (const address of ['<al"ice"@b>', '<"al"ice@b>', '<@>', '@', '<a@b><>', '<a@b', '<a>@b'])
      assert.equal(read(`MAIL FROM:${address}`, { strict: false }), 'badAddress', address);
    assert.equal(read('MAIL FROM:<al."i c e"@b>', { strict: false }), 'al.i c e@b');
  });

  it('ends at a blank, but within brackets and quotes or behind a backslash', () => {
    const words = (line: string): readonly string[] => splitCommand(line).map(({ text }) => text);
    assert.deepEqual(words('RCPT TO:<a b> "c d" e\\ f'), ['RCPT', 'TO:', '<a b>', '"c d"', 'e\\ f']);
    assert.deepEqual(words('RCPT TO:a@[b c]'), ['RCPT', 'TO:', 'a@[b', 'c]']);
    assert.deepEqual(words('RCPT TO:\\<a b>'), ['RCPT', 'TO:', '\\<a', 'b>']);
    assert.deepEqual(words('VRFY a:b'), ['VRFY', 'a:b']);
  });
});
