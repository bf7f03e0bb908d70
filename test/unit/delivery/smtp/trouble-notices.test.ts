import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SessionNotice } from '#smtp';
import { envelope, request } from '../request.ts';
import { startAgent, startSink } from './sink.ts';

describe('what the SMTP client tells the postmaster', () => {
  const told = async (
    script: Parameters<typeof startSink>[0],
    lines: readonly string[],
    sender = 'from@example.org',
  ) => {
    const notices: SessionNotice[] = [];
    await using sink = await startSink(script);
    await using agent = startAgent(lines, { notifyPostmaster: (notice) => notices.push(notice) });
    const asked = request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], { envelope: { ...envelope, sender } });
    await agent.deliver(asked);
    return { notices, port: sink.port };
  };
  const syntax = { rcpt: '501 5.5.2 Syntax' };
  const protocol = ['notify_classes = protocol'];

  it('is the session in which a reply said that we do not speak SMTP', async () => {
    const { notices, port } = await told(syntax, protocol);
    assert.equal(notices.length, 1);
    assert.equal(notices[0]?.peer, `127.0.0.1[127.0.0.1]:${port}`);
    assert.deepEqual(notices[0]?.lines, [
      'In:  220 sink.example.net ESMTP',
      'Out: EHLO mail.example.com',
      'In:  250-sink.example.net',
      'In:  250-PIPELINING',
      'In:  250-ENHANCEDSTATUSCODES',
      'In:  250-8BITMIME',
      'In:  250 DSN',
      'Out: MAIL FROM:<from@example.org>',
      'Out: RCPT TO:<u@x.example> ORCPT=rfc822;u@x.example',
      'Out: DATA',
      'In:  250 2.1.0 Ok',
      'In:  501 5.5.2 Syntax',
      'In:  354 Go on',
      'Out: .',
      'Out: QUIT',
      'In:  250 2.0.0 Ok: queued as SINK',
    ]);
  });

  it('is nothing about refusals of other kinds, and nothing that nobody asked for', async () => {
    assert.deepEqual((await told({ rcpt: '550 5.1.1 no user' }, protocol)).notices, []);
    assert.deepEqual((await told(syntax, [])).notices, []);
  });

  it('is nothing about notices: they would make further ones', async () => {
    assert.deepEqual((await told(syntax, protocol, '')).notices, []);
    assert.deepEqual((await told(syntax, protocol, 'double-bounce@mail.example.com')).notices, []);
  });

  it('holds no password', async () => {
    const { notices } = await told({ ...syntax, ehlo: '250-s\r\n250 AUTH PLAIN', auth: '235 ok' }, [
      ...protocol,
      'smtp_sasl_auth_enable = yes',
      'smtp_sasl_security_options =',
      'smtp_sasl_password_maps = inline:{{127.0.0.1=me:secret}}',
    ]);
    assert.ok(notices[0]?.lines.includes('Out: AUTH PLAIN (not shown)'));
  });

  it('is a session that a table of ours broke', async () => {
    const { notices } = await told({}, [
      'notify_classes = data',
      'smtp_reply_filter = static:{}',
      'smtp_reply_filter = fail:x',
    ]);
    assert.equal(notices.length, 1);
  });
});

describe('a reply without an end', () => {
  it('ends with daemon_timeout, and no other server is tried', async () => {
    const { createServer } = await import('node:net');
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on('error', () => {});
      const timer = setInterval(() => socket.write('220-more\r\n'), 100);
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const sites = `[127.0.0.1]:${port}, [localhost]:${port}`;
    await using agent = startAgent(['daemon_timeout = 1s', 'smtp_helo_timeout = 100s']);
    const { outcomes } = await agent.deliver(request(sites, ['u@x.example']));
    server.close();
    assert.deepEqual(
      outcomes.map(({ kind, status }) => `${kind} ${status.code} ${status.reason}`),
      ['deferred 4.4.2 lost connection with 127.0.0.1[127.0.0.1] while receiving the initial server greeting'],
    );
    assert.equal(connections, 1);
    assert.match(agent.log[0] ?? '', /^warning: QID: the delivery has no end after 1s \(daemon_timeout\): giving up$/);
  });
});

describe('a reply in pieces', () => {
  const slow = (deadline: string) => [
    'smtp_helo_timeout = 1s',
    'smtp_skip_quit_response = yes',
    `smtp_per_request_deadline = ${deadline}`,
  ];

  it('may take a timeout for each piece, or with a deadline for all of it', async () => {
    const { createServer } = await import('node:net');
    const server = createServer((socket) => {
      socket.on('error', () => {});
      const pieces = ['220-', 'one\r\n', '220-two\r\n', '220-three\r\n', '220 ', 'four\r\n'];
      const timer = setInterval(() => {
        const piece = pieces.shift();
        if (piece === undefined) clearInterval(timer);
        else socket.write(piece);
      }, 300);
      socket.on('data', () => socket.end('421 4.3.0 enough\r\n'));
      socket.on('close', () => clearInterval(timer));
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    const site = `[127.0.0.1]:${typeof address === 'object' ? address?.port : 0}`;
    const ends = await Promise.all(
      ['no', 'yes'].map(async (deadline) => {
        await using agent = startAgent(slow(deadline));
        const { outcomes } = await agent.deliver(request(site, ['u@x.example']));
        return outcomes[0]?.status.reason;
      }),
    );
    server.close();
    assert.equal(ends[0], 'host 127.0.0.1[127.0.0.1] refused to talk to me: 421 4.3.0 enough');
    assert.equal(
      ends[1],
      'conversation with 127.0.0.1[127.0.0.1] timed out while receiving the initial server greeting',
    );
  });
});
