import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionNotice } from '#smtp';
import { Transcript, troubleOf } from '#smtpd';

function transcriptFor(classes: readonly string[]): {
  readonly transcript: Transcript;
  readonly sent: SessionNotice[];
} {
  const sent: SessionNotice[] = [];
  const transcript = new Transcript({
    peer: () => 'c.example[192.0.2.1]',
    classes: new Set(classes),
    notify: (notice) => sent.push(notice),
  });
  return { transcript, sent };
}

describe('the transcript of a session', () => {
  it('goes to the postmaster when something of an asked-for class went wrong', () => {
    const { transcript, sent } = transcriptFor(['protocol']);
    transcript.said(250, ['mail', 'SIZE']);
    transcript.heard('FOO');
    transcript.judge({ code: 500, lines: ['5.5.2 Error: command not recognized'] });
    transcript.said(500, ['5.5.2 Error: command not recognized']);
    transcript.reason = 'timeout';
    transcript.reset(0);
    transcript.reset(0);
    assert.deepEqual(sent, [
      {
        peer: 'c.example[192.0.2.1]',
        lines: ['Out: 250-mail', 'Out: 250 SIZE', 'In:  FOO', 'Out: 500 5.5.2 Error: command not recognized'],
        reason: 'timeout',
        isBounce: false,
      },
    ]);
  });

  it('believes what a reply is said to stand for, whatever its text', () => {
    const { transcript, sent } = transcriptFor(['software']);
    transcript.judge({ code: 451, lines: ['4.3.0 Error: queue file write error'], trouble: 'software' });
    transcript.said(451, ['4.3.0 Error: queue file write error']);
    transcript.reset(0);
    transcript.judge({ code: 451, lines: ['4.3.0 Error: local'], trouble: 'none' });
    transcript.said(451, ['4.3.0 Error: local']);
    transcript.reset(0);
    assert.equal(sent.length, 1);
  });

  it('is for who hears of bounces when a recipient was unknown, whatever else went wrong', () => {
    const { transcript, sent } = transcriptFor(['policy']);
    transcript.judge({
      code: 550,
      lines: ['5.1.1 <x@y>: Recipient address rejected: User unknown in local recipient table'],
    });
    transcript.judge({ code: 554, lines: ['5.7.1 <x@z>: Relay access denied'] });
    transcript.said(554, ['5.7.1 no']);
    transcript.reset(0);
    assert.equal(sent[0]?.isBounce, true);
  });

  it('is forgotten when nothing of that class did', () => {
    const { transcript, sent } = transcriptFor(['resource', 'software']);
    transcript.judge({ code: 554, lines: ['5.7.1 <x@y>: Recipient address rejected: Access denied'] });
    transcript.said(554, ['5.7.1 no']);
    transcript.reset(0);
    assert.deepEqual(sent, []);
  });

  it('is kept beyond a reset while it is short', () => {
    const { transcript, sent } = transcriptFor(['protocol']);
    transcript.judge({ code: 503, lines: ['5.5.1 Error: need MAIL command'] });
    transcript.said(503, ['5.5.1 Error: need MAIL command']);
    transcript.reset(1);
    assert.deepEqual(sent, []);
    transcript.heard('QUIT');
    transcript.reset(1);
    assert.equal(sent.length, 1);
  });

  it('tells whose fault a reply is by its text', () => {
    const cases: readonly (readonly [reply: string, kind: string])[] = [
      ['452 4.3.1 Insufficient system storage', 'resource'],
      ['451 4.3.0 Error: queue file write error', 'resource'],
      ['451 4.3.5 Server configuration error', 'software'],
      ['451 4.3.5 <a@b>: Recipient address rejected: Server configuration error', 'policy'],
      ['451 4.3.0 <a@b>: Temporary lookup failure', 'data'],
      ['552 5.3.4 Error: message file too big', 'bounce'],
      ['550 5.1.1 <a@b>: Recipient address rejected: User unknown in local recipient table', 'bounce'],
      ['504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname', 'policy'],
      ['502 5.5.1 VRFY command is disabled', 'policy'],
      ['501 5.5.4 Syntax: RSET', 'protocol'],
      ['421 4.7.0 mail.example.com Error: too many errors', 'protocol'],
      ['554 5.7.1 <a@b>: Relay access denied', 'policy'],
    ];
    for (const [reply, kind] of cases)
      assert.equal(troubleOf({ code: Number(reply.slice(0, 3)), lines: [reply.slice(4)] }), kind, reply);
  });
});
