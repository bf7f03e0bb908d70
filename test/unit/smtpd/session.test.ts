import assert from 'node:assert/strict';
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';
import { withoutRequireTls } from '../../../src/smtpd/filter-entry.ts';
import { type Setup, TestServer } from './conversation.ts';

describe('an SMTP session', () => {
  let open: TestServer[] = [];
  const serve = (setup?: Setup): TestServer => {
    const server = new TestServer(setup);
    open.push(server);
    return server;
  };
  afterEach(() => {
    for (const server of open) server.remove();
    open = [];
  });
  const refuseBad = (_: string, recipient: string | undefined) =>
    recipient?.startsWith('bad') === true
      ? ({
          kind: 'reject',
          reply: `554 5.7.1 <${recipient}>: Relay access denied`,
          hangsUp: false,
          actions: [],
        } as const)
      : ({ kind: 'accept', actions: [] } as const);

  it('takes a message and says which it became', async () => {
    const server = serve();
    const replies = await server.talk(
      'HELO c.example',
      'MAIL FROM:<a@b.example>',
      'RCPT TO:<x@y.example>',
      'DATA',
      'Subject: s\r\n\r\n..dot\r\n.',
    );
    assert.deepEqual(replies, [
      '250 mail.example.com',
      '250 2.1.0 Ok',
      '250 2.1.5 Ok',
      '354 End data with <CR><LF>.<CR><LF>',
      '250 2.0.0 Ok: queued as Q1',
    ]);
    const [message] = server.messages;
    assert.equal(message?.content, 'Subject: s\r\n\r\n.dot\r\n');
    assert.deepEqual(message.recipients, ['x@y.example']);
    const { prepend } = message.options;
    const received = typeof prepend === 'function' ? prepend().toString() : '';
    assert.match(
      received,
      /^Received: from c\.example \(unknown \[192\.0\.2\.1\]\)\r\n\tby mail\.example\.com \(\w+\) with SMTP id Q1\r\n\tfor <x@y\.example>; .*\r\n$/,
    );
  });

  it('ends alone of a mistake of ours, even where that is in its last steps', async () => {
    const fail = (): never => {
      throw new Error('a mistake');
    };
    const server = serve({ mainCf: 'notify_classes = policy, protocol', notifyPostmaster: fail });
    const client = server.connect();
    await client.reply();
    client.send('MAIL FROM:<a b c>\r\n');
    await client.reply();
    client.send('QUIT\r\n');
    while ((await client.reply()) !== 'closed');
    await server.server.sessionsEnd();
    assert.match(server.log.join('\n'), /panic: a mistake/);
  });

  it('waits for a client longer than a timer can, if that is asked for', async () => {
    const server = serve({ mainCf: 'smtpd_timeout = 30d' });
    const client = server.connect();
    await client.reply();
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.send('NOOP\r\n');
    assert.equal(await client.reply(), '250 2.0.0 Ok');
    client.close();
  });

  it('tells the postmaster of no password', async () => {
    const told: string[] = [];
    const server = serve({
      mainCf: 'notify_classes = protocol',
      notifyPostmaster: ({ lines }) => told.push(...lines),
    });
    await server.talk('EHLO c.example', 'auth plain AGpvZQBzZWNyZXQ=', 'AUTH', 'QUIT');
    await server.server.sessionsEnd();
    assert.deepEqual(
      told.filter((line) => /^In: +auth/i.test(line)),
      ['In:  auth plain (not shown)', 'In:  AUTH'],
    );
  });

  it('tells the postmaster of nothing that went wrong before mail was taken', async () => {
    const told: string[] = [];
    const server = serve({ mainCf: 'notify_classes = protocol', notifyPostmaster: ({ lines }) => told.push(...lines) });
    const mail = ['EHLO c.example', 'FOO', 'MAIL FROM:<>', 'RCPT TO:<x@y.example>', 'DATA', 'text\r\n.'];
    await server.talk(...mail, 'QUIT');
    await server.server.sessionsEnd();
    assert.equal(told.length, 0);
    await server.talk(...mail, 'BAR', 'QUIT');
    await server.server.sessionsEnd();
    assert.ok(told.includes('In:  FOO') && told.includes('In:  BAR'), 'all of a session with an error after it');
  });

  it('says of logins that there are none before it asks for a greeting', async () => {
    const server = serve();
    assert.deepEqual(await server.talk('AUTH PLAIN', 'HELO c.example', 'AUTH PLAIN'), [
      '503 5.5.1 Error: authentication not enabled',
      '250 mail.example.com',
      '503 5.5.1 Error: authentication not enabled',
    ]);
  });

  it('does to a message what a refused recipient asked for', async () => {
    const server = serve({
      verdict: (stage, recipient) =>
        stage === 'rcpt' && recipient?.startsWith('bad') === true
          ? { kind: 'reject', reply: '550 5.1.1 no', hangsUp: false, actions: [{ kind: 'hold' }] }
          : { kind: 'accept', actions: [] },
    });
    await server.talk('EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<bad@y.example>', 'RCPT TO:<x@y.example>');
    assert.deepEqual(server.messages[0]?.actions, ['hold']);
  });

  it('opens the queue entry at the first accepted recipient', async () => {
    const server = serve({ verdict: refuseBad });
    await server.talk('EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<bad@y.example>');
    assert.equal(server.messages.length, 0);
    await server.talk('EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<bad@y.example>', 'RCPT TO:<x@y.example>');
    assert.equal(server.messages.length, 1);
    assert.ok(server.log.includes('Q1: client=unknown[192.0.2.1]'));
  });

  it('counts commands that succeed and those that come', async () => {
    const server = serve({ verdict: refuseBad });
    await server.talk(
      'EHLO c.example',
      'MAIL FROM:<>',
      'RCPT TO:<bad@y.example>',
      'RCPT TO:<x@y.example>',
      'FOO',
      'QUIT',
    );
    assert.equal(
      server.log.at(-1),
      'disconnect from unknown[192.0.2.1] ehlo=1 mail=1 rcpt=1/2 quit=1 unknown=0/1 commands=4/6',
    );
  });

  it('ends a session at the hard error limit', async () => {
    const server = serve({ mainCf: 'smtpd_hard_error_limit = 2' });
    const replies = await server.talk('FOO', 'BAR', 'NOOP');
    assert.equal(replies.at(-1), '421 4.7.0 mail.example.com Error: too many errors');
    assert.ok(server.log.includes('NOQUEUE: too many errors after UNKNOWN from unknown[192.0.2.1]'));
  });

  it('forgets errors and junk commands after a message', async () => {
    const server = serve({ mainCf: 'smtpd_hard_error_limit = 2\nsmtpd_junk_command_limit = 1' });
    const replies = await server.talk(
      'HELO c',
      'FOO',
      'MAIL FROM:<>',
      'RCPT TO:<x@y.example>',
      'DATA',
      '.',
      'NOOP',
      'NOOP',
      'FOO',
    );
    assert.equal(replies.at(-1), '500 5.5.2 Error: command not recognized');
  });

  it('tolerates recipients beyond the limit up to the overshoot', async () => {
    const server = serve({
      mainCf: 'smtpd_recipient_limit = 1\nsmtpd_recipient_overshoot_limit = 1\nsmtpd_hard_error_limit = 1',
    });
    const many = ['RCPT TO:<a@y.example>', 'RCPT TO:<b@y.example>', 'RCPT TO:<c@y.example>', 'NOOP'];
    const replies = await server.talk('EHLO c', 'MAIL FROM:<>', ...many);
    assert.deepEqual(replies.slice(2), [
      '250 2.1.5 Ok',
      '452 4.5.3 Error: too many recipients',
      '452 4.5.3 Error: too many recipients',
      '421 4.7.0 mail.example.com Error: too many errors',
    ]);
  });

  it('cuts off clients that do not wait for the greeting of EHLO', async () => {
    const server = serve();
    const client = server.connect();
    await client.reply();
    client.send('EHLO c.example\r\nMAIL FROM:<>\r\n');
    assert.equal(await client.reply(), '554 5.5.0 Error: SMTP protocol synchronization');
    assert.equal(await client.reply(), 'closed');
    const text = String.raw`improper command pipelining after EHLO from unknown[192.0.2.1]: MAIL FROM:<>\r\n`;
    assert.ok(server.log.includes(text));
  });

  it('reads a refused chunk and takes the next transaction', async () => {
    const server = serve();
    const replies = await server.talk(
      'EHLO c',
      'BDAT 6 LAST\r\nNOOP',
      'MAIL FROM:<>',
      'RCPT TO:<x@y.example>',
      'BDAT 4\r\na: b',
    );
    assert.deepEqual(replies.slice(1), [
      '503 5.5.1 Error: need RCPT command',
      '250 2.1.0 Ok',
      '250 2.1.5 Ok',
      '250 2.0.0 Ok: 4 bytes',
    ]);
  });

  it('tells how much content came only where content was asked for', async () => {
    const refused = { kind: 'reject', reply: '554 5.7.1 no', hangsUp: false, actions: [] } as const;
    const server = serve({
      mainCf: 'smtpd_hard_error_limit = 1',
      verdict: (stage) => (stage === 'data' ? refused : { kind: 'accept', actions: [] }),
    });
    for (const command of ['DATA', 'BDAT 2\r\nab']) {
      await server.talk('EHLO c', 'MAIL FROM:<>', 'RCPT TO:<x@y.example>', command, 'NOOP');
    }
    const ends = server.log.filter((line) => line.includes('too many errors'));
    assert.deepEqual(ends, [
      'Q1: too many errors after DATA from unknown[192.0.2.1]',
      'Q2: too many errors after BDAT from unknown[192.0.2.1]',
    ]);
  });

  it('tells which keywords it would have left out where the table for it fails', async () => {
    const server = serve({
      mainCf: 'smtpd_discard_ehlo_keyword_address_maps = fail:x\nsmtpd_discard_ehlo_keywords = vrfy',
    });
    await server.talk('EHLO c');
    const at = server.log.indexOf('discarding EHLO keywords: VRFY');
    assert.ok(at >= 0);
    assert.match(server.log[at + 1] ?? '', /^warning: don't know what EHLO features to announce to /);
  });

  it('passes over what local_header_rewrite_clients misspells, and says so', async () => {
    const heard = async (words: string): Promise<readonly [string | undefined, ...string[]]> => {
      const server = serve({ mainCf: `local_header_rewrite_clients = ${words}` });
      const reply = (await server.talk('EHLO c', 'MAIL FROM:<>')).at(-1);
      return [reply, ...server.log.filter((line) => line.startsWith('warning: '))];
    };
    const told = 'warning: parameter local_header_rewrite_clients: invalid request: foo_bar';
    assert.deepEqual(await heard('foo_bar, Permit_Inet_Interfaces'), ['250 2.1.0 Ok', told]);
    assert.deepEqual(await heard('Check_Address_Map static:x, foo_bar'), ['250 2.1.0 Ok']);
    assert.deepEqual(await heard('check_address_map'), [
      '451 4.3.5 Server configuration error',
      'warning: restriction check_address_map: bad argument "check_address_map": need maptype:mapname',
    ]);
  });

  it('is silent about discarded keywords where status codes are among them', async () => {
    const heard = async (words: string): Promise<string[]> => {
      const server = serve({ mainCf: `smtpd_discard_ehlo_keywords = ${words}` });
      await server.talk('EHLO c');
      return server.log.filter((line) => line.startsWith('discarding'));
    };
    assert.deepEqual(await heard('dsn, vrfy'), ['discarding EHLO keywords: VRFY, DSN']);
    assert.deepEqual(await heard('dsn, enhancedstatuscodes'), []);
  });

  it('shows of the text of a rule what a reply may hold', async () => {
    const outcome = () =>
      ({ kind: 'refused', code: 550, dsn: '5.7.1', text: 'no \udce4ä\t!', isRuleText: true }) as const;
    const refusal = async (mainCf: string): Promise<string | undefined> =>
      (await serve({ mainCf, outcome }).talk('EHLO c', 'MAIL FROM:<>', 'RCPT TO:<x@y.example>', 'DATA', 'x\r\n.')).at(
        -1,
      );
    assert.equal(await refusal(''), '550 5.7.1 no  ä !');
    assert.equal(await refusal('smtputf8_enable = no'), '550 5.7.1 no     !');
  });

  it('refuses content beyond the size limit', async () => {
    const server = serve({ mainCf: 'message_size_limit = 1000' });
    const body = `${'x'.repeat(98)}\r\n`.repeat(11);
    const replies = await server.talk(
      'EHLO c',
      'MAIL FROM:<> SIZE=1001',
      'RSET',
      'MAIL FROM:<>',
      'RCPT TO:<x@y.example>',
      'DATA',
      `${body}.`,
    );
    assert.equal(replies[1], '552 5.3.4 Message size exceeds fixed limit');
    assert.equal(replies.at(-1), '552 5.3.4 Error: message file too big');
    assert.equal(server.messages[0]?.isCommitted, false);
  });

  it('counts the size of a refused MAIL for the next one, until a reset', async () => {
    const server = serve({ mainCf: 'message_size_limit = 1000' });
    const replies = await server.talk('EHLO c', 'MAIL FROM:<> SIZE=1001', 'MAIL FROM:<>', 'RSET', 'MAIL FROM:<>');
    assert.deepEqual(
      replies.slice(1).map((reply) => reply.slice(0, 3)),
      ['552', '552', '250', '250'],
    );
  });

  it('forgets the size of a refused MAIL where the next one names a size beyond any file', async () => {
    const server = serve({ mainCf: 'message_size_limit = 1000' });
    const replies = await server.talk(
      'EHLO c',
      'MAIL FROM:<> SIZE=1001',
      'MAIL FROM:<> SIZE=99999999999999999999',
      'MAIL FROM:<>',
    );
    assert.deepEqual(
      replies.slice(1).map((reply) => reply.slice(0, 3)),
      ['552', '552', '250'],
    );
  });

  it('takes no mail when the disk is nearly full', async () => {
    const server = serve({ mainCf: 'message_size_limit = 1000', freeBytes: 1499 });
    const replies = await server.talk('EHLO c', 'MAIL FROM:<>');
    assert.equal(replies[1], '452 4.3.1 Insufficient system storage');
  });

  it('takes no mail while the disk of the queue fails, and goes on', async () => {
    const server = serve({ freeBytes: new Error('disk I/O error') });
    const replies = await server.talk('EHLO c', 'MAIL FROM:<>', 'NOOP');
    assert.deepEqual(replies.slice(1), ['451 4.3.0 Error: queue file write error', '250 2.0.0 Ok']);
    assert.ok(server.log.includes('warning: cannot tell how much space is free in mail queue: disk I/O error'));
  });

  it('passes a first line that is no header as what it is', async () => {
    const server = serve();
    const talk = (line: string): Promise<string[]> =>
      server.talk('EHLO c', 'MAIL FROM:<>', 'RCPT TO:<x@y.example>', 'DATA', `${line}\r\n.`);
    await talk('From me Mon');
    await talk(' blank');
    await talk('From me Mon\r\n>>From you\r\n To: x');
    assert.equal(server.messages[0]?.content, 'X-Mailbox-Line: From me Mon\r\n');
    assert.equal(server.messages[1]?.content, '\r\n blank\r\n');
    assert.equal(
      server.messages[2]?.content,
      'X-Mailbox-Line: From me Mon\r\nX-Mailbox-Line: >>From you\r\n\r\n To: x\r\n',
    );
  });

  it('adds the footer to refusals, with its macros', async () => {
    const joined = serve({
      mainCf: String.raw`smtpd_reject_footer = \c. Ask $server_name about $client_address $nosuch`,
    });
    assert.deepEqual(
      await joined.talk('FOO'),
      ['500 5.5.2 Error: command not recognized. Ask mail.example.com about 192.0.2.1 '].map((line) => line.trimEnd()),
    );
    const apart = serve({ mainCf: String.raw`smtpd_reject_footer = one\ntwo` });
    assert.deepEqual(await apart.talk('FOO'), [
      '500-5.5.2 Error: command not recognized | 500-5.5.2 one | 500 5.5.2 two',
    ]);
  });

  it('replaces refusals by a table, and tells both of them', async () => {
    const server = serve({
      mainCf:
        'smtpd_reject_filter_maps = regexp:{{/^500 5.5.2 (.*)/ 450 4.5.2 $$1, later}}\nsmtpd_reject_footer = foot',
    });
    assert.deepEqual(await server.talk('FOO'), ['450-4.5.2 Error: command not recognized, later | 450 4.5.2 foot']);
    assert.deepEqual(
      server.log.filter((line) => line.includes('reply filter')),
      [
        'NOQUEUE: reply filter in: 500 5.5.2 Error: command not recognized',
        'NOQUEUE: reply filter out: 450 4.5.2 Error: command not recognized, later',
      ],
    );
  });

  it('makes refusals temporary with soft_bounce', async () => {
    const server = serve({ mainCf: 'soft_bounce = yes', verdict: refuseBad });
    const replies = await server.talk('EHLO c', 'MAIL FROM:<>', 'RCPT TO:<bad@y.example>', 'FOO');
    assert.deepEqual(replies.slice(2), [
      '454 4.7.1 <bad@y.example>: Relay access denied',
      '400 4.5.2 Error: command not recognized',
    ]);
  });

  it('limits the sessions of one client', async () => {
    const server = serve({ mainCf: 'smtpd_client_connection_count_limit = 1' });
    const first = server.connect();
    await first.reply();
    const second = server.connect();
    assert.equal(await second.reply(), '421 4.7.0 mail.example.com Error: too many connections from 192.0.2.1');
    const text = 'warning: Connection concurrency limit exceeded: 2 from unknown[192.0.2.1] for service smtp';
    assert.ok(server.log.includes(text));
    first.close();
  });

  it('limits messages and recipients in a time unit', async () => {
    const server = serve({
      mainCf: 'smtpd_client_recipient_rate_limit = 1\nsmtpd_client_message_rate_limit = 1',
      now: () => 0,
    });
    const replies = await server.talk(
      'EHLO c',
      'MAIL FROM:<>',
      'RCPT TO:<a@y.example>',
      'RCPT TO:<b@y.example>',
      'RSET',
      'MAIL FROM:<>',
    );
    assert.equal(replies[3], '450 4.7.1 Error: too many recipients from 192.0.2.1');
    assert.equal(replies[5], '450 4.7.1 Error: too much mail from 192.0.2.1');
  });

  it('sends all replies of a pipelined group in one write', async () => {
    const server = serve();
    const client = server.connect();
    await client.reply();
    client.send('EHLO c\r\n');
    await client.reply();
    client.send('MAIL FROM:<>\r\nRCPT TO:<a@y.example>\r\nDATA\r\n');
    assert.equal(await client.reply(), '250 2.1.0 Ok');
    assert.equal(await client.reply(), '250 2.1.5 Ok');
    assert.equal(await client.reply(), '354 End data with <CR><LF>.<CR><LF>');
    client.close();
  });

  it('answers a client that has ended its side before it was greeted', async () => {
    const { server } = serve();
    for (const [input, last] of [
      ['', '220 mail.example.com ESMTP Postfix'],
      ['HELO c.example\r\n', '250 mail.example.com'],
    ] as const) {
      const [ours, theirs] = duplexPair();
      ours.end(input);
      const heard = text(ours);
      await server.serveStream(theirs);
      assert.equal((await heard).trimEnd().split('\r\n').at(-1), last);
    }
  });

  it('tells idle clients to come again when it is drained', async () => {
    const server = serve();
    const client = server.connect();
    await client.reply();
    await server.server.drain();
    assert.equal(await client.reply(), '421 4.3.2 mail.example.com Service shutting down');
    assert.equal(server.server.sessionCount, 0);
  });

  it('leaves clients alone while it waits for their sessions to end', async () => {
    const server = serve();
    const client = server.connect();
    await client.reply();
    const ended = server.server.sessionsEnd();
    client.send('HELO c.example\r\n');
    assert.equal(await client.reply(), '250 mail.example.com');
    client.send('QUIT\r\n');
    assert.equal(await client.reply(), '221 2.0.0 Bye');
    await ended;
    assert.equal(server.server.sessionCount, 0);
  });

  it('takes XCLIENT only from whom it trusts, and then begins anew', async () => {
    const server = serve({ mainCf: 'smtpd_authorized_xclient_hosts = 192.0.2.1' });
    const replies = await server.talk(
      'XCLIENT ADDR=198.51.100.7 NAME=client.example',
      'HELO x',
      'MAIL FROM:<>',
      'RCPT TO:<a@y.example>',
    );
    assert.equal(
      replies[0],
      '220 mail.example.com ESMTP Posthorn'.replace('Posthorn', replies[0]?.split(' ').at(-1) ?? ''),
    );
    assert.ok(server.log.includes('Q1: client=client.example[198.51.100.7]'));
    assert.deepEqual(await serve().talk('XCLIENT NAME=x.example'), ['550 5.7.0 Error: insufficient authorization']);
  });

  it('remembers what XFORWARD says for the log', async () => {
    const server = serve({ mainCf: 'smtpd_authorized_xforward_hosts = 192.0.2.1' });
    const lines = ['XFORWARD NAME=o.example ADDR=198.51.100.7 IDENT=ABC', 'MAIL FROM:<>', 'RCPT TO:<a@y.example>'];
    await server.talk('EHLO c', ...lines);
    assert.ok(
      server.log.includes('Q1: client=unknown[192.0.2.1], orig_queue_id=ABC, orig_client=o.example[198.51.100.7]'),
    );
    assert.equal(server.messages[0]?.options.envelope.forwardedQueueId, 'ABC');
  });

  it('forgets XFORWARD with the message it was about', async () => {
    const server = serve({ mainCf: 'smtpd_authorized_xforward_hosts = 192.0.2.1' });
    const mail = ['MAIL FROM:<>', 'RCPT TO:<a@y.example>', 'RSET'];
    await server.talk('XFORWARD NAME=o.example ADDR=198.51.100.7', ...mail, ...mail);
    const origins = server.log.filter((line) => line.includes('client=')).map((line) => line.includes('orig_client='));
    assert.deepEqual(origins, [true, false]);
  });

  it('takes REQUIRETLS away from what a filter is told, and nothing else', () => {
    assert.equal(withoutRequireTls('MAIL FROM:<a@b> SIZE=1 requiretls BODY=7BIT'), 'MAIL FROM:<a@b> SIZE=1 BODY=7BIT');
    assert.equal(withoutRequireTls('MAIL FROM:<"a REQUIRETLS b"@c> REQUIRETLS'), 'MAIL FROM:<"a REQUIRETLS b"@c>');
  });

  it('takes from XFORWARD whatever fits a log line', async () => {
    const server = serve({ mainCf: 'smtpd_authorized_xforward_hosts = 192.0.2.1' });
    const values = [
      'PROTO=X.400',
      'HELO=+',
      `HELO=${'h'.repeat(256)}`,
      'NAME=[TEMPUNAVAIL]',
      'Foo=x',
      'IDENT=a+20<b>+0Ac',
    ];
    const replies = await server.talk(
      'EHLO c',
      ...values.map((value) => `XFORWARD ${value}`),
      'MAIL FROM:<>',
      'RCPT TO:<a@y.example>',
    );
    assert.deepEqual(replies.slice(1, 7), [
      '250 2.0.0 Ok',
      '250 2.0.0 Ok',
      '501 5.5.4 Error: attribute value too long',
      '501 5.5.4 Bad NAME syntax: [TEMPUNAVAIL]',
      '501 5.5.4 Bad XFORWARD attribute name: Foo',
      '250 2.0.0 Ok',
    ]);
    assert.ok(server.log.some((line) => line.includes('orig_queue_id=a??b??c')));
  });
});
