import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FilterReplyReader } from '../../../../src/smtpd/proxy-filter/reply-reader.ts';
import { type ForwardedAttributes, xforwardCommands } from '../../../../src/smtpd/proxy-filter/xforward.ts';

function read(pieces: readonly Buffer[], lineLimit = 50): { readonly replies: string[]; readonly notes: string[] } {
  const replies: string[] = [];
  const notes: string[] = [];
  const reader = new FilterReplyReader({
    lineLimit,
    onLongLine: (start) => notes.push(`long ${start}`),
    onGarbage: (line) => notes.push(`garbage ${line}`),
  });
  for (const piece of pieces) reader.push(piece, (lines) => replies.push(lines.join('|')));
  return { replies, notes };
}

describe('replies of a filter', () => {
  it('are whole lines, without what can not be printed', () => {
    const { replies } = read([Buffer.from('250-a\r\n250 b\x01\r\n250\r\n5')]);
    assert.deepEqual(replies, ['250-a|250 b?', '250']);
  });

  it('are cut where a line or all of them get too long', () => {
    const { replies, notes } = read([Buffer.from(`250-${'a'.repeat(60)}\r\n250-b\r\n250 c\r\n250 d\r\n`)]);
    assert.deepEqual(replies, [`250-${'a'.repeat(46)}`, '250 d']);
    assert.deepEqual(notes, [`long 250-${'a'.repeat(26)}`]);
  });

  it('carry along what is no reply, which is told of', () => {
    assert.deepEqual(read([Buffer.from('hello\r\n250 b\r\n')]), {
      replies: ['hello|250 b'],
      notes: ['garbage hello'],
    });
  });

  it('come out the same in any split', () => {
    const text = fc
      .array(fc.oneof(fc.constantFrom('250 a\r\n', '250-b\r\n', '\r\n', '2', 'x'.repeat(60)), fc.string()))
      .map((parts) => Buffer.from(parts.join('')));
    fc.assert(
      fc.property(text, fc.array(fc.nat(200)), (bytes, cuts) => {
        const at = [...cuts.filter((cut) => cut < bytes.length), 0, bytes.length].toSorted((a, b) => a - b);
        const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
        assert.deepEqual(read(pieces), read([bytes]));
      }),
    );
  });
});

describe('XFORWARD to a filter', () => {
  const attributes: ForwardedAttributes = {
    NAME: 'c.example',
    ADDR: '192.0.2.1',
    PORT: '4000',
    HELO: 'c+d',
    IDENT: '',
    PROTO: 'ESMTP',
    SOURCE: 'REMOTE',
  };
  const commands = (keywords: string, change: Partial<ForwardedAttributes> = {}): [readonly string[], string[]] => {
    const warnings: string[] = [];
    const found = xforwardCommands(['250-filter', `250 ${keywords}`], { ...attributes, ...change }, (text) =>
      warnings.push(text),
    );
    return [found, warnings];
  };

  it('tells what is asked for, and that something is not known', () => {
    assert.deepEqual(commands('PIPELINING'), [[], []]);
    assert.deepEqual(commands('XFORWARD source ident HELO NEW')[0], [
      'XFORWARD HELO=c+2Bd IDENT=[UNAVAILABLE] SOURCE=REMOTE',
    ]);
  });

  it('takes as many commands as fit into lines', () => {
    const helo = 'h'.repeat(490);
    assert.deepEqual(commands('XFORWARD NAME HELO PROTO', { HELO: helo }), [
      ['XFORWARD NAME=c.example', `XFORWARD HELO=${helo}`, 'XFORWARD PROTO=ESMTP'],
      [],
    ]);
    const [, warnings] = commands('XFORWARD HELO', { HELO: 'h'.repeat(600) });
    assert.deepEqual(warnings, ['XFORWARD command payload HELO=hhhhhhhhhh... exceeds SMTP protocol limit']);
  });
});
