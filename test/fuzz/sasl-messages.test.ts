import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readBerkeleyHash } from '../../src/sasl/berkeley-hash.ts';
import { readDigestResponse } from '../../src/sasl/digest-md5.ts';
import { readClientFinal, readClientFirst } from '../../src/sasl/scram.ts';

describe('what strangers send and files hold', () => {
  it('is a response of DIGEST-MD5 or is told to be none, and never throws', () => {
    const piece = fc.constantFrom(
      'username',
      'nonce',
      'nc',
      '=',
      '"',
      ',',
      '\\',
      ' ',
      'n',
      '1',
      'charset=utf-8',
      '\xe9',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const read = readDigestResponse(Buffer.from(pieces.join(''), 'latin1'), 'n', 'smtp');
        assert.ok(typeof read === 'string' || read.username !== undefined);
      }),
    );
  });

  it('is a message of SCRAM or is told to be none, and never throws', () => {
    const piece = fc.constantFrom('n', 'y', 'p', 'c', 'r', 'a', 'm', '=', ',', '=2C', 'biws', '\xe9', 'x');
    const mechanism = 'SCRAM-SHA-1';
    const first = readClientFirst('n,,n=ann,r=x', mechanism);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        const read = readClientFirst(text, mechanism);
        assert.ok(typeof read === 'string' || text === read.gs2Header + read.bare);
        assert.ok(typeof first !== 'string');
        const final = readClientFinal(text, { mechanism, first, nonce: 'x' });
        assert.ok(typeof final === 'string' || text.startsWith(final.withoutProof));
      }),
    );
  });

  it('is a file of Berkeley DB or is none, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 500, maxLength: 500 }), fc.nat(1), (noise, order) => {
        const file = Buffer.alloc(2048);
        for (let at = 512; at < file.length; at += noise.length) Buffer.from(noise).copy(file, at);
        if (order === 0) file.writeUInt32LE(0x061561, 12);
        else file.writeUInt32BE(0x061561, 12);
        if (order === 0) file.writeUInt32LE(512, 20);
        else file.writeUInt32BE(512, 20);
        for (const page of [1, 2, 3]) file[512 * page + 25] = 13;
        const entries = readBerkeleyHash(file);
        assert.ok(entries === undefined || entries.size >= 0);
      }),
    );
  });
});
