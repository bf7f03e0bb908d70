import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MimeStructure, parseContentType } from '../../../src/message/mime-structure.ts';

const limits = { nesting: 0, boundaryLength: 20 };

function multipart(boundary: string, subtype = 'mixed'): MimeStructure {
  const structure = new MimeStructure(limits);
  structure.readField('Content-Type', ` multipart/${subtype}; boundary=${boundary}`);
  structure.endHeader(true);
  return structure;
}

describe('a Content-Type', () => {
  it('gives type, subtype and boundary, quoted or not', () => {
    assert.deepEqual(parseContentType(' Multipart/Mixed; charset=x; boundary="a b;c"'), {
      type: 'multipart',
      subtype: 'mixed',
      boundary: 'a b;c',
    });
    assert.equal(parseContentType('multipart/mixed; boundary=plain; x=y').boundary, 'plain');
  });

  it('may hold comments, which may nest', () => {
    assert.deepEqual(parseContentType('text (a (b) ; boundary=no) / plain; boundary="(kept)"'), {
      type: 'text',
      subtype: 'plain',
      boundary: '(kept)',
    });
  });
});

describe('the structure of a message', () => {
  it('has a header section behind each boundary, and none behind the last', () => {
    const structure = multipart('b');
    assert.equal(structure.place, 'body');
    assert.ok(structure.readBoundary(Buffer.from('--b')));
    assert.equal(structure.place, 'part');
    structure.endHeader(true);
    assert.ok(!structure.readBoundary(Buffer.from('-- b')));
    assert.ok(structure.readBoundary(Buffer.from('--b--')));
    assert.equal(structure.place, 'body');
    assert.ok(!structure.readBoundary(Buffer.from('--b')));
  });

  it('treats the parts of a digest as attached messages', () => {
    const structure = multipart('b', 'digest');
    structure.readBoundary(Buffer.from('--b'));
    structure.endHeader(true);
    assert.equal(structure.place, 'nested');
  });

  it('closes inner levels at an outer boundary', () => {
    const structure = multipart('outer');
    structure.readBoundary(Buffer.from('--outer'));
    structure.readField('Content-Type', 'multipart/alternative; boundary=inner');
    structure.endHeader(true);
    assert.ok(structure.readBoundary(Buffer.from('--inner')));
    assert.ok(structure.readBoundary(Buffer.from('--outer')));
    assert.ok(!structure.readBoundary(Buffer.from('--inner')));
  });

  it('says so when parts are nested too deep', () => {
    const structure = multipart('one');
    structure.readBoundary(Buffer.from('--one'));
    assert.equal(structure.readField('Content-Type', 'multipart/mixed; boundary=two'), undefined);
    structure.endHeader(true);
    structure.readBoundary(Buffer.from('--two'));
    const problem = structure.readField('Content-Type', 'multipart/mixed; boundary=three');
    assert.equal(problem?.text, 'MIME nesting exceeds safety limit');
  });

  it('refuses an encoded multipart, and no encoded message/global', () => {
    for (const [type, expected] of [
      ['multipart/mixed; boundary=b', 'invalid message/* or multipart/* encoding domain'],
      ['message/rfc822', 'invalid message/* or multipart/* encoding domain'],
      ['message/global', undefined],
      ['text/plain', undefined],
    ] as const) {
      const structure = new MimeStructure(limits);
      structure.readField('Content-Type', type);
      structure.readField('Content-Transfer-Encoding', ' base64 (comment)');
      assert.equal(structure.endHeader(true)?.text, expected, type);
    }
  });

  it('refuses 8-bit data in message/partial and message/external-body, and no encoding', () => {
    const wrong = 'invalid message/* or multipart/* encoding domain';
    for (const [type, encoding, expected] of [
      ['message/partial', '(comment) 8bit', wrong],
      ['message/external-body', 'binary', wrong],
      ['message/partial', 'base64', undefined],
      ['message/delivery-status', '8bit', undefined],
      ['message/delivery-status', 'base64', undefined],
    ] as const) {
      const structure = new MimeStructure(limits);
      structure.readField('Content-Type', type);
      structure.readField('Content-Transfer-Encoding', encoding);
      assert.equal(structure.endHeader(true)?.text, expected, `${type} ${encoding}`);
    }
  });

  it('takes the first word of an encoding', () => {
    const structure = new MimeStructure(limits);
    structure.readField('Content-Transfer-Encoding', ' 8BIT; more');
    assert.equal(structure.domain, '8bit');
  });
});
