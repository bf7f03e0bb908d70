import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { TestServer } from './conversation.ts';

describe('how often a client may ask', () => {
  let server = new TestServer();
  const talk = async (limit: string, ...lines: readonly string[]): Promise<readonly string[]> => {
    server.remove();
    server = new TestServer({ mainCf: `${limit}\nsmtpd_client_event_limit_exceptions =` });
    const replies = await server.talk(...lines);
    return replies.map((reply) => reply.slice(0, 9));
  };
  afterEach(() => server.remove());

  it('counts MAIL and RCPT whose address or option is bad, and none that lacks an address', async () => {
    assert.deepEqual(
      await talk('smtpd_client_message_rate_limit = 1', 'MAIL', 'MAIL FROM:<a', 'MAIL FROM:<a> X', 'MAIL FROM:<a>'),
      ['501 5.5.4', '501 5.1.7', '450 4.7.1', '450 4.7.1'],
    );
    assert.deepEqual(
      await talk(
        'smtpd_client_recipient_rate_limit = 1',
        'RCPT TO:<a@b>',
        'MAIL FROM:<>',
        'RCPT',
        'RCPT TO:<>',
        'RCPT TO:<a@b>',
      ),
      ['503 5.5.1', '250 2.1.0', '501 5.5.4', '501 5.1.3', '450 4.7.1'],
    );
  });

  it('counts VRFY as a recipient', async () => {
    assert.deepEqual(
      await talk('smtpd_client_recipient_rate_limit = 1', 'VRFY', 'VRFY a@b.example', 'VRFY a@b.example'),
      ['501 5.5.4', '252 2.0.0', '450 4.7.1'],
    );
  });
});
