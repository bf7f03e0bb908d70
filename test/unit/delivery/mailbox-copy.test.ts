import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { textOf } from '#message';
import { deliveredToFields } from '../../../src/delivery/mailbox-copy.ts';
import { request } from './request.ts';

describe('the Delivered-To: fields of a message', () => {
  /** `pieceBytes`: its content comes in pieces of that size. */
  async function fieldsOf(text: string | Buffer, pieceBytes = 1000): Promise<readonly string[]> {
    const content = Buffer.from(text);
    const chunks = (): readonly Buffer[] =>
      Array.from({ length: Math.ceil(content.length / pieceBytes) }, (_, i) =>
        content.subarray(i * pieceBytes, (i + 1) * pieceBytes),
      );
    const headerBytes = content.indexOf('\r\n\r\n') + 2;
    const parts = { content: { sizeBytes: content.length, headerBytes, chunks } };
    return [...(await deliveredToFields(request('', [], parts)))];
  }

  it('are found in the header section only, in lower case', async () => {
    const text = 'delivered-to:\tA@Example.COM\r\nSubject: x\r\nDelivered-To: b@c\r\n\r\nDelivered-To: d@e\r\n';
    for (const size of [1, 7, 1000]) assert.deepEqual(await fieldsOf(text, size), ['a@example.com', 'b@c']);
  });

  it('are the text that their bytes stand for', async () => {
    const text = 'Delivered-To: JÖRG@exämple.com\r\nX: \u2028Delivered-To: x@y\r\n\r\n';
    for (const size of [1, 1000]) assert.deepEqual(await fieldsOf(text, size), ['jörg@exämple.com']);
  });

  it('keep bytes that are no text', async () => {
    const address = Buffer.from('j\xf6rg@example.com', 'latin1');
    const field = Buffer.concat([Buffer.from('Delivered-To: '), address, Buffer.from('\r\n\r\n')]);
    assert.deepEqual(await fieldsOf(field), [textOf(address)]);
  });
});
