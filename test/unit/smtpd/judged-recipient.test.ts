import assert from 'node:assert/strict';
import { it } from 'node:test';
import { TestServer } from './conversation.ts';

it('restrictions hear of the first recipient, but of none where many are judged together', async () => {
  const heard: string[] = [];
  const server = new TestServer({
    mainCf: 'smtpd_delay_reject = no',
    verdict: (stage, recipient) => {
      heard.push(`${stage} ${recipient ?? '-'}`);
      return { kind: 'accept', actions: [] };
    },
  });
  try {
    const mail = ['MAIL FROM:<s@s.example>', 'RCPT TO:<a@r.example>', 'RCPT TO:<b@r.example>'];
    await server.talk(...mail, 'HELO c', ...mail, 'DATA', 'Subject: x\r\n\r\n.');
    assert.deepEqual(
      heard.filter((line) => /^(?:helo|data|endOfData)/.test(line)),
      ['helo a@r.example', 'data -', 'endOfData -'],
    );
  } finally {
    server.remove();
  }
});
