import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Bouncer, createBouncer, type NotifiedRecipient } from '#bounce';
import { openSettings } from '#config';
import { type MailEvent, renderPostfixText } from '#events';
import {
  type ClientAttributes,
  type Envelope,
  type Notify,
  type SubmissionPort,
  type SubmissionResult,
  textOf,
} from '#message';
import { FewRecipients, type QueuedMessage } from '#store';

const CLIENT: ClientAttributes = {
  name: 'localhost',
  reverseName: 'localhost',
  address: '127.0.0.1',
  port: '1',
  heloName: 'c',
  protocol: 'SMTP',
  serverAddress: '',
  serverPort: '',
};
const CONTENT = 'From: a@x\r\nSubject: s\r\n\r\nbody\r\n';

function queued(more: Partial<Envelope> = {}): QueuedMessage {
  const envelope: Envelope = {
    sender: 'a@x',
    arrivedAt: 0,
    envid: '',
    ret: '',
    smtputf8: false,
    encoding: '',
    rewriteContext: 'local',
    client: CLIENT,
    logClient: CLIENT,
    fullName: '',
    contentFilter: '',
    origin: 'mail',
    verp: '',
    trace: '',
    originalQueueId: '',
    messageId: '<m@x>',
    requireTls: false,
    ...more,
  };
  return {
    queueId: 'OLD1',
    queue: 'active',
    envelope,
    recipients: new FewRecipients([]),
    content: {
      sizeBytes: CONTENT.length,
      headerBytes: CONTENT.indexOf('\r\n\r\n') + 2,
      chunks: () => [Buffer.from(CONTENT.slice(0, 5)), Buffer.from(CONTENT.slice(5))],
    },
    sizeBytes: CONTENT.length,
    dueAt: 0,
    warnedAt: 0,
    forcedExpire: false,
  };
}

function failed(address: string, notify: readonly Notify[] = [], original = address): NotifiedRecipient {
  const status = {
    code: '5.1.1',
    reason: `host mx.y[192.0.2.1] said: 550 5.1.1 no such user here, and never was one since (in reply to RCPT TO command)`,
    diagnostic: { type: 'smtp', text: '550 5.1.1 no such user' },
    remoteMta: 'dns; mx.y',
  };
  return {
    recipient: { address, original, dsnOriginal: '', notify },
    outcome: { index: 0, kind: 'bounced', status },
  };
}

describe('bounce', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'bounce-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const setUp = (
    more = '',
    result: SubmissionResult = { kind: 'queued', queueId: 'NEW1' },
    says?: (text: string) => void,
  ) => {
    writeFileSync(
      join(directory, 'main.cf'),
      `compatibility_level = 3.6\nmyhostname = mail.example.com\nmail_name = Postfix\n${more}`,
    );
    const sent: { sender: string; to: string[]; text: string; requireTls: boolean }[] = [];
    const log: string[] = [];
    const submission: SubmissionPort = {
      open: ({ envelope }) => {
        const { sender, requireTls } = envelope;
        const notice = { sender, to: new Array<string>(), text: '', requireTls };
        sent.push(notice);
        return {
          queueId: 'NEW1',
          addRecipient: ({ address }) => {
            notice.to.push(address);
            says?.(`recipient ${address}`);
          },
          apply: () => undefined,
          write: (chunk) => void (notice.text += chunk.toString()),
          end: () => Promise.resolve(result),
          abort: () => undefined,
        };
      },
    };
    const bouncer: Bouncer = createBouncer({
      submission,
      settings: openSettings(directory).settings,
      events: { emit: (event: MailEvent) => void log.push(renderPostfixText(event)) },
      now: () => 1_700_000_000_000,
    });
    return { bouncer, sent, log };
  };

  it('joins the queue ids in the log before anything is said of the new one', async () => {
    const { bouncer, sent, log } = setUp('', { kind: 'queued', queueId: 'NEW1' }, (text) => log.push(text));
    await bouncer.notify('failure', queued(), [[failed('b@y')]]);
    assert.equal(sent.length, 1);
    assert.deepEqual(log, ['OLD1: sender non-delivery notification: NEW1', 'recipient a@x']);
  });

  it('says why a notice was not queued', async () => {
    const refused = {
      kind: 'refused',
      code: 451,
      dsn: '4.3.0',
      text: 'queue file write error',
      isRuleText: false,
    } as const;
    const { bouncer, log } = setUp('', refused);
    const result = await bouncer.notify('failure', queued({ sender: 'a b@x' }), [[failed('b@y')]]);
    assert.deepEqual(result, { ok: false, reason: 'queue file write error' });
    assert.deepEqual(log, [
      'OLD1: sender non-delivery notification: NEW1',
      'OLD1: sender notification failed to <"a b"@x>: queue file write error',
    ]);
  });

  it('keeps what others said within its field', async () => {
    const { bouncer, sent } = setUp();
    const { recipient, outcome } = failed('"a\rX-One: 1"@y');
    const dsnOriginal = 'rfc822;a@y\r\n\r\n--OLD1\r\nX-Two: 2';
    const message = queued({ sender: '"s\rX-Three: 3"@x', messageId: '<m\n\tX-Four: 4>' });
    await bouncer.notify('failure', message, [[{ recipient: { ...recipient, dsnOriginal }, outcome }]]);
    const text = sent[0]?.text ?? '';
    assert.doesNotMatch(text, /[\r\n]\s*X-(?:One|Two|Three|Four):/);
    assert.match(text, /^Original-Recipient: rfc822;a@y\?\?\?\?--OLD1\?\?X-Two: 2\r$/m);
  });

  it('begins with a word of what a command said', async () => {
    const { bouncer, sent } = setUp();
    const { recipient, outcome } = failed('b@y');
    const status = { ...outcome.status, diagnostic: { type: 'x-unix', text: '  not found ' } };
    await bouncer.notify('failure', queued(), [[{ recipient, outcome: { ...outcome, status } }]]);
    assert.match(sent[0]?.text ?? '', /^Diagnostic-Code: x-unix; not found\r$/m);
  });

  it('gives a report with addresses beyond ASCII an encoding, and keeps the type of the whole', async () => {
    const { bouncer, sent } = setUp();
    await bouncer.notify('failure', queued({ smtputf8: true }), [[failed('ü@y')]]);
    const text = sent[0]?.text ?? '';
    assert.match(text, /^Content-Type: multipart\/report; report-type=delivery-status;/m);
    assert.match(text, /^Content-Type: message\/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n/m);
  });

  it('returns the message with a report to its sender', async () => {
    const { bouncer, sent, log } = setUp();
    assert.deepEqual(await bouncer.notify('failure', queued(), [[failed('b@y', [], 'list@x')]]), { ok: true });
    assert.deepEqual(log, ['OLD1: sender non-delivery notification: NEW1']);
    const [notice] = sent;
    assert.ok(notice);
    assert.deepEqual([notice.sender, notice.to], ['', ['a@x']]);
    const boundary = 'OLD1.1700000000/mail.example.com';
    const lines = notice.text.split('\r\n').filter((line) => !/^(?:Date|Arrival-Date):/.test(line));
    assert.deepEqual(lines, [
      'From: Mail Delivery System <MAILER-DAEMON>',
      'Subject: Undelivered Mail Returned to Sender',
      'To: a@x',
      'Auto-Submitted: auto-replied',
      'MIME-Version: 1.0',
      'Content-Type: multipart/report; report-type=delivery-status;',
      `\tboundary="${boundary}"`,
      'Content-Transfer-Encoding: 8bit',
      '',
      'This is a MIME-encapsulated message.',
      '',
      `--${boundary}`,
      'Content-Description: Notification',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      'This is the mail system at host mail.example.com.',
      '',
      "I'm sorry to have to inform you that your message could not",
      "be delivered to one or more recipients. It's attached below.",
      '',
      'For further assistance, please send mail to postmaster.',
      '',
      'If you do so, please include this problem report. You can',
      'delete your own text from the attached returned message.',
      '',
      '                   The mail system',
      '',
      '<b@y> (expanded from <list@x>): host mx.y[192.0.2.1] said: 550 5.1.1 no such',
      '    user here, and never was one since (in reply to RCPT TO command)',
      '',
      `--${boundary}`,
      'Content-Description: Delivery report',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mail.example.com',
      'X-Postfix-Queue-ID: OLD1',
      'X-Postfix-Sender: rfc822; a@x',
      '',
      'Final-Recipient: rfc822; b@y',
      'Original-Recipient: rfc822; list@x',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.y',
      'Diagnostic-Code: smtp; 550 5.1.1 no such user',
      '',
      `--${boundary}`,
      'Content-Description: Undelivered Message',
      'Content-Type: message/rfc822',
      'Content-Transfer-Encoding: 8bit',
      '',
      'Return-Path: <a@x>',
      ...CONTENT.split('\r\n').slice(0, -1),
      '',
      `--${boundary}--`,
      '',
    ]);
  });

  it('returns the headers only when asked to, when too big, and for other reports', async () => {
    const headersOnly = async (more: string, kind: 'failure' | 'delay' | 'success', envelope: Partial<Envelope>) => {
      const { bouncer, sent } = setUp(more);
      await bouncer.notify(kind, queued(envelope), [[failed('b@y')]]);
      const text = sent[0]?.text ?? '';
      return text.includes('text/rfc822-headers') && text.includes('Subject: s\r\n\r\n--') && !text.includes('body');
    };
    assert.ok(await headersOnly('', 'failure', { ret: 'hdrs' }));
    assert.ok(await headersOnly('bounce_size_limit = 10\n', 'failure', {}));
    assert.ok(await headersOnly('', 'delay', { ret: 'full' }));
    assert.ok(await headersOnly('', 'success', {}));
    assert.ok(!(await headersOnly('', 'failure', { ret: 'full' })));
  });

  it('returns only the headers of mail with REQUIRETLS, by whatever way there is', async () => {
    const noticeOf = async (more: string, envelope: Partial<Envelope>) => {
      const { bouncer, sent } = setUp(more);
      await bouncer.notify('failure', queued(envelope), [[failed('b@y')]]);
      const { text = '', requireTls } = sent[0] ?? {};
      return { hasBody: text.includes('body'), saysNo: text.includes('\r\nTLS-Required: no\r\n'), requireTls };
    };
    const redacted = { hasBody: false, saysNo: false, requireTls: false };
    assert.deepEqual(await noticeOf('', { requireTls: true }), redacted);
    assert.deepEqual(await noticeOf('', { requireTls: true, tlsNotRequired: true }), redacted);
    assert.deepEqual(await noticeOf('requiretls_redact_dsn = no\n', { requireTls: true }), {
      hasBody: true,
      saysNo: false,
      requireTls: true,
    });
    const plain = { hasBody: true, saysNo: true, requireTls: false };
    assert.deepEqual(await noticeOf('', { tlsNotRequired: true }), plain);
    assert.deepEqual(await noticeOf('tls_required_enable = no\n', { tlsNotRequired: true }), {
      ...plain,
      saysNo: false,
    });
  });

  it('leaves out recipients that do not want to be told of', async () => {
    const { bouncer, sent } = setUp();
    await bouncer.notify('failure', queued(), [[failed('b@y', ['never']), failed('c@y', ['success'])]]);
    assert.equal(sent.length, 0);
    await bouncer.notify('delay', queued(), [[failed('b@y', ['delay']), failed('c@y', ['failure'])]]);
    assert.ok(sent[0]?.text.includes('<b@y>:') && !sent[0].text.includes('c@y'));
    assert.match(sent[0]?.text ?? '', /^Will-Retry-Until: /m);
  });

  it('tells who asked about every address of silent copies too, which have no original recipient', async () => {
    const { bouncer, sent } = setUp();
    await bouncer.notify('verify', queued(), [[failed('b@y', ['never']), failed('c@y', ['never'], 'list@x')]]);
    const originals = sent[0]?.text.match(/^(Final|Original)-Recipient: .*$/gm) ?? [];
    assert.deepEqual(
      originals.map((line) => line.trim()),
      ['Final-Recipient: rfc822; b@y', 'Final-Recipient: rfc822; c@y', 'Original-Recipient: rfc822; list@x'],
    );
  });

  it('tells the postmaster of what concerns nobody else, when configured', async () => {
    const quiet = setUp();
    await quiet.bouncer.notify('failure', queued({ sender: '' }), [[failed('b@y')]]);
    assert.equal(quiet.sent.length, 0);
    const { bouncer, sent, log } = setUp('notify_classes = 2bounce, delay\n');
    await bouncer.notify('failure', queued({ sender: '' }), [[failed('b@y')]]);
    assert.deepEqual([sent[0]?.sender, sent[0]?.to], ['double-bounce@mail.example.com', ['postmaster']]);
    assert.match(sent[0]?.text ?? '', /^Subject: Postmaster Copy: Undelivered Mail\r$/m);
    await bouncer.notify('failure', queued({ sender: 'Double-Bounce@mail.example.com' }), [[failed('b@y')]]);
    assert.deepEqual(log, [
      'OLD1: postmaster non-delivery notification: NEW1',
      'warning: OLD1: undeliverable postmaster notification discarded',
    ]);
    await bouncer.notify('delay', queued(), [[failed('b@y')]]);
    assert.deepEqual(log.slice(2), [
      'OLD1: sender delay notification: NEW1',
      'OLD1: postmaster delay notification: NEW1',
    ]);
  });

  it('sends VERP notices one by one', async () => {
    const { bouncer, sent } = setUp();
    await bouncer.notify('failure', queued({ verp: '+=' }), [[failed('b@y'), failed('c@z')]]);
    assert.deepEqual(
      sent.flatMap(({ to }) => to),
      ['a+b=y@x', 'a+c=z@x'],
    );
  });

  it('asks for another try when cleanup refuses', async () => {
    const { bouncer } = setUp('', { kind: 'refused', code: 452, dsn: '4.3.1', text: 'full', isRuleText: true });
    assert.deepEqual(await bouncer.notify('failure', queued(), [[failed('b@y')]]), { ok: false, reason: 'full' });
  });

  it('sends nothing by a template that names what has no value', async () => {
    const path = join(directory, 'unknown.cf');
    const text = (line: string): string => `failure_template = <<END\nSubject: S\n\nx\n${line}\nEND\n`;
    for (const [line, fault] of [
      ['at $nowhere', 'undefined $name'],
      ['at ${mydomain', 'bad $name syntax'],
    ] as const) {
      writeFileSync(path, text(line));
      const { bouncer, sent, log } = setUp(`bounce_template_file = ${path}\n`);
      const reason = `${path}: ${fault} in failure template: ${line}`;
      assert.deepEqual(await bouncer.notify('failure', queued(), [[failed('b@y')]]), { ok: false, reason });
      assert.equal(log.at(-1), `fatal: ${reason}`);
      assert.equal(sent.length, 0);
    }
    writeFileSync(path, text('${nowhere?{x}:{y}} $mydomain'));
    const { bouncer, sent } = setUp(`bounce_template_file = ${path}\nmydomain = d.example\n`);
    assert.deepEqual(await bouncer.notify('failure', queued(), [[failed('b@y')]]), { ok: true });
    assert.match(sent[0]?.text ?? '', /^y d\.example\r$/m);
    rmSync(path);
  });

  it('sends nothing while the file of templates cannot be opened', async () => {
    const path = join(directory, 'later.cf');
    const { bouncer, sent, log } = setUp(`bounce_template_file = ${path}\n`);
    const reason = `open ${path}: No such file or directory`;
    assert.deepEqual(await bouncer.notify('failure', queued(), [[failed('b@y')]]), { ok: false, reason });
    assert.deepEqual(log, [`fatal: ${reason}`]);
    writeFileSync(path, 'failure_template = <<END\nSubject: S\n\nMine.\nEND\n');
    assert.deepEqual(await bouncer.notify('failure', queued(), [[failed('b@y')]]), { ok: true });
    assert.equal(sent.length, 1);
    rmSync(path);
  });

  it('takes templates from a file, and its own for bad ones', async () => {
    const path = join(directory, 'bounce.cf');
    writeFileSync(
      path,
      'failure_template = <<END\nFrom: F\nSubject: S\n\nAt $mydomain for $maximal_queue_lifetime_hours h, $$5\nEND\n' +
        'delay_template = <<END\nSubject: S\nBogus: x\n\ntext\nEND\n',
    );
    const { bouncer, sent, log } = setUp(`bounce_template_file = ${path}\n`);
    await bouncer.notify('failure', queued(), [[failed('b@y')]]);
    assert.match(sent[0]?.text ?? '', /^At example\.com for 120 h, \$5\r$/m);
    await bouncer.notify('delay', queued(), [[failed('b@y')]]);
    assert.match(log.join('\n'), /unknown "Bogus" header label in delay template -- ignoring this template/);
    assert.match(sent[1]?.text ?? '', /^Subject: Delayed Mail \(still being retried\)\r$/m);
  });

  it('passes over blank lines before the text, and keeps those at its end', async () => {
    const path = join(directory, 'blank.cf');
    writeFileSync(
      path,
      'failure_template = <<END\nSubject: S\n\n\ntext for $maximal_queue_lifetime_weeks weeks\n\nEND\n',
    );
    const { bouncer, sent, log } = setUp(`bounce_template_file = ${path}\n`);
    await bouncer.notify('failure', queued(), [[failed('b@y')]]);
    assert.match(sent[0]?.text ?? '', /\r\n\r\ntext for 0 weeks\r\n\r\n\r\n<b@y>/);
    assert.match(log.join('\n'), /zero result in failure template conversion/);
  });

  it('tells the postmaster also of what the sender does not want to hear', async () => {
    const { bouncer, sent } = setUp('notify_classes = bounce\nbounce_notice_recipient = pm@x\n');
    await bouncer.notify('failure', queued(), [[failed('b@y', ['never'])]]);
    assert.deepEqual(
      sent.map(({ to }) => to),
      [['pm@x']],
    );
  });

  it('says what is odd about a template also when the sender does not want to hear, up to what makes it fail', async () => {
    const path = join(directory, 'odd.cf');
    const write = (body: string): void => writeFileSync(path, `failure_template = <<END\nSubject: S\n\n${body}\nEND\n`);
    const lines = `bounce_template_file = ${path}\n`;
    write('for $maximal_queue_lifetime_weeks weeks');
    const odd = setUp(lines);
    await odd.bouncer.notify('failure', queued(), [[failed('b@y', ['never'])]]);
    assert.match(odd.log.join('\n'), /zero result/);
    write('at $nowhere\nfor $maximal_queue_lifetime_weeks weeks');
    const wrong = setUp(lines);
    await wrong.bouncer.notify('failure', queued(), [[failed('b@y')]]);
    assert.deepEqual(wrong.log.length, 1);
    assert.match(wrong.log[0] ?? '', /fatal: .*undefined \$name in failure template: at \$nowhere/);
  });

  it('declares 8-bit text where addresses may be UTF-8, and else what the message was declared to be', async () => {
    const encodings = async (more: string, envelope: Partial<Envelope>): Promise<readonly string[]> => {
      const { bouncer, sent } = setUp(more);
      await bouncer.notify('failure', queued(envelope), [[failed('b@y')]]);
      const found = sent[0]?.text.matchAll(/^(?:Content-Transfer-Encoding: (.*)|.*charset=(.*))\r$/gm) ?? [];
      return [...found].map(([, encoding, charset]) => encoding ?? charset ?? '');
    };
    const eightBit = ['8bit', 'utf-8', '8bit', '8bit'];
    for (const encoding of ['', '7bit', '8bit'] as const) assert.deepEqual(await encodings('', { encoding }), eightBit);
    const ascii = 'smtputf8_enable = no\n';
    assert.deepEqual(await encodings(ascii, { encoding: '' }), ['us-ascii']);
    assert.deepEqual(await encodings(ascii, { encoding: '7bit' }), ['7bit', 'us-ascii']);
    assert.deepEqual(await encodings(ascii, { encoding: '8bit' }), eightBit);
  });

  it('marks bytes beyond ASCII of what it tells where there is no SMTPUTF8', async () => {
    const { bouncer, sent } = setUp('smtputf8_enable = no\n');
    const status = { code: '5.1.1', reason: 'unbekannte Größe' };
    // the last byte is no text: an umlaut of Latin-1
    const { recipient } = failed(`jörg@y${textOf(Buffer.of(0xfc))}`);
    await bouncer.notify('failure', queued(), [[{ recipient, outcome: { index: 0, kind: 'bounced', status } }]]);
    const told = sent[0]?.text.match(/^(?:<.*|Final-.*|Diagnostic.*)(?=\r$)/gm);
    assert.deepEqual(told, [
      '<j??rg@y?>: unbekannte Gr????e',
      'Final-Recipient: rfc822; j??rg@y?',
      'Diagnostic-Code: X-Postfix; unbekannte Gr????e',
    ]);
  });

  it('logs that a report of what was done goes to nobody', async () => {
    const { bouncer, sent, log } = setUp();
    await bouncer.notify('success', queued({ sender: '' }), [[failed('b@y')]]);
    await bouncer.notify('verify', queued({ sender: 'double-bounce@mail.example.com' }), [[failed('b@y')]]);
    assert.equal(sent.length, 0);
    assert.deepEqual(log, [
      'OLD1: not sending trace/success notification for single-bounce message',
      'OLD1: not sending trace/success notification for double-bounce message',
    ]);
  });

  it('calls the null sender by name in what the postmaster gets', async () => {
    const { bouncer, sent } = setUp('notify_classes = 2bounce\nmyorigin = here.example\n');
    await bouncer.notify('failure', queued({ sender: '' }), [[failed('b@y')]]);
    assert.match(sent[0]?.text ?? '', /^Return-Path: <MAILER-DAEMON@mail\.example\.com>\r$/m);
    assert.match(sent[0]?.text ?? '', /^X-Postfix-Sender: rfc822; MAILER-DAEMON@mail\.example\.com\r$/m);
  });
});
