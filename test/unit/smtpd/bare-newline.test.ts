import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TestServer } from './conversation.ts';

/** The last line of a session in which lines of a message, and one command, end in LF alone. */
async function lastLine(mode: string): Promise<string | undefined> {
  const server = new TestServer({
    mainCf: `smtpd_forbid_bare_newline = ${mode}\nsmtpd_forbid_bare_newline_exclusions =`,
  });
  try {
    await server.talk('HELO c', 'MAIL FROM:<>', 'RCPT TO:<a@b.example>', 'DATA', 'a\nb\r\n.', 'QUIT');
    return server.log.find((line) => line.startsWith('disconnect'))?.replace(/.* commands=/, '');
  } finally {
    server.remove();
  }
}

describe('bare line feeds', () => {
  it('are told of at the end of a session only when that is asked for', async () => {
    assert.equal(await lastLine('note'), '5 notes=bare_lf');
    for (const mode of ['normalize', 'yes', 'no']) assert.equal(await lastLine(mode), '5', mode);
    assert.equal(await lastLine('reject'), '4/5');
  });

  it('end what is passed on of a message that they refuse', async () => {
    const passed = async (...chunks: string[]): Promise<string | undefined> => {
      const server = new TestServer({
        mainCf: 'smtpd_forbid_bare_newline = reject\nsmtpd_forbid_bare_newline_exclusions =',
      });
      try {
        await server.talk('EHLO c', 'MAIL FROM:<>', 'RCPT TO:<a@b.example>', ...chunks);
        assert.equal(server.messages[0]?.isCommitted, false);
        return server.messages[0]?.content;
      } finally {
        server.remove();
      }
    };
    assert.match((await passed('DATA', 'A: 1\r\nB: 2\nC: 3\r\n.')) ?? '', /A: 1\r\n$/);
    assert.doesNotMatch((await passed('BDAT 6 LAST\r\nA\nB\r\nC')) ?? '', /[ABC]/);
  });
});
