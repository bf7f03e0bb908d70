import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { messagesOf } from '../../src/tls/handshake-messages.ts';
import { serverNameIn } from '../../src/tls/client-hello.ts';
import { clientDigest, sentAuthorities } from '../../src/tls/client-evidence.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
/** Of the form of a record with a handshake message. */
const record = fc.tuple(fc.constantFrom(1, 11, 15, 20), bytes).map(([type, body]) => {
  const message = Buffer.concat([Buffer.from([type, 0, body.length >> 8, body.length & 255]), body]);
  return Buffer.concat([Buffer.from([22, 3, 1, message.length >> 8, message.length & 255]), message]);
});

describe('the words of a stranger in a handshake', () => {
  it('never throw, whatever they are', () => {
    fc.assert(
      fc.property(fc.oneof(bytes, record), (words) => {
        assert.equal(typeof serverNameIn(words), 'string');
        const messages = messagesOf({ bytes: words, cipher: 'TLS_AES_128_GCM_SHA256', secret: Buffer.alloc(32) });
        clientDigest(messages);
        // certificates have been read by OpenSSL before
        sentAuthorities(
          messages.filter(({ type }) => type !== 11),
          'TLSv1.3',
        );
      }),
    );
  });
});
