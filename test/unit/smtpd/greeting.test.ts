import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestServer } from './conversation.ts';

async function receivedFrom(helo: string, mainCf = ''): Promise<string | undefined> {
  const server = new TestServer({ mainCf });
  try {
    await server.talk(`HELO ${helo}`, 'MAIL FROM:<>', 'RCPT TO:<a@b.example>', 'DATA', '.');
    const { prepend } = server.messages[0]?.options ?? {};
    const field = typeof prepend === 'function' ? prepend().toString() : '';
    return /^Received: from (\S+)/.exec(field)?.[1];
  } finally {
    server.remove();
  }
}

describe('the name that a client gives itself', () => {
  it('loses what has a meaning in a header', async () => {
    assert.equal(await receivedFrom('a(b)c;d<e>'), 'a?b?c?d?e?');
    assert.equal(await receivedFrom('ä.example'), 'ä.example');
  });

  it('has no UTF-8 where there is no SMTPUTF8', async () => {
    assert.equal(await receivedFrom('ä.example', 'smtputf8_enable = no'), '??.example');
  });
});
