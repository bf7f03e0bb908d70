import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { envelope, request } from '../request.ts';
import { a, mx, startAgent, startSink, zone } from './sink.ts';

const words = (outcomes: readonly { index: number; kind: string; status: { code: string } }[]) =>
  outcomes.toSorted((x, y) => x.index - y.index).map(({ kind, status }) => `${kind} ${status.code}`);

describe('the SMTP client', () => {
  it('delivers with one pipelined envelope and tells each recipient', async () => {
    await using sink = await startSink({
      rcpt: (command) => (command.includes('bad@') ? '550 5.1.1 No such user' : undefined),
    });
    await using agent = startAgent();
    const host = `[127.0.0.1]:${sink.port}`;
    const { outcomes } = await agent.deliver(request(host, ['bad@x.example', 'good@x.example']));
    assert.deepEqual(words(outcomes), ['bounced 5.1.1', 'sent 2.0.0']);
    await sink.ended();
    assert.deepEqual(sink.seen, [
      '[connect]',
      'EHLO mail.example.com',
      'MAIL FROM:<from@example.org>',
      'RCPT TO:<bad@x.example> ORCPT=rfc822;bad@x.example',
      'RCPT TO:<good@x.example> ORCPT=rfc822;good@x.example',
      'DATA',
      'DATA:Subject: x\r\n\r\nbody\r\n',
      'QUIT',
    ]);
    const relay = `127.0.0.1[127.0.0.1]:${sink.port}`;
    assert.deepEqual(agent.log, [
      `QID: to=<bad@x.example>, relay=${relay}, tls=none, dsn=5.1.1, status=bounced (host 127.0.0.1[127.0.0.1] said: 550 5.1.1 No such user (in reply to RCPT TO command))`,
      `QID: to=<good@x.example>, relay=${relay}, tls=none, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as SINK)`,
    ]);
  });

  it('waits for each reply without PIPELINING, and gives up with RSET when nobody is left', async () => {
    await using sink = await startSink({ ehlo: '250 sink', rcpt: '550 no' });
    await using agent = startAgent();
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['bounced 5.0.0']);
    await sink.ended();
    assert.deepEqual(sink.seen.slice(2), ['MAIL FROM:<from@example.org>', 'RCPT TO:<u@x.example>', 'RSET', 'QUIT']);
  });

  it('falls back to HELO', async () => {
    await using sink = await startSink({ ehlo: '502 what?' });
    await using agent = startAgent();
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
    assert.equal(sink.seen[2], 'HELO mail.example.com');
  });

  it('sends what the server lists: SIZE, BODY, ENVID, RET, NOTIFY, ORCPT', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250-SIZE 1000\r\n250-DSN\r\n250 8BITMIME' });
    await using agent = startAgent();
    const what = request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], {
      envelope: { ...envelope, envid: 'a+b', ret: 'hdrs', encoding: '8bit' },
      recipients: [
        { index: 0, address: 'u v@x.example', original: '', dsnOriginal: 'rfc822;o=p@x', notify: ['delay', 'failure'] },
        { index: 1, address: 'w@x.example', original: '', dsnOriginal: 'utf-8;\u00fc+\u{1f600}@x', notify: [] },
      ],
    });
    await agent.deliver(what);
    assert.deepEqual(sink.seen.slice(2, 5), [
      'MAIL FROM:<from@example.org> SIZE=20 BODY=8BITMIME ENVID=a+2Bb RET=HDRS',
      'RCPT TO:<"u v"@x.example> ORCPT=rfc822;o+3Dp@x NOTIFY=FAILURE,DELAY',
      String.raw`RCPT TO:<w@x.example> ORCPT=utf-8;\x{FC}\x{2B}\x{1F600}@x`,
    ]);
  });

  it('takes a greeting apart at blanks only', async () => {
    for (const [greeting, greets] of [
      ['my-mail not-ESMTP', 'HELO'],
      ['my-mail esmtp', 'EHLO'],
      ['ESMTP server', 'EHLO'],
    ] as const) {
      await using sink = await startSink({ connect: `220 ${greeting}` });
      await using agent = startAgent(['smtp_always_send_ehlo = no']);
      await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
      assert.equal(sink.seen[1], `${greets} mail.example.com`, greeting);
    }
  });

  it('says what to do about a server that keeps no step with pipelining, unless helpful_warnings says no', async () => {
    await using sink = await startSink({ rcpt: 'what?\r\n250 ok' });
    for (const [value, isHelpful] of [
      ['yes', true],
      ['no', false],
    ] as const) {
      await using agent = startAgent([`helpful_warnings = ${value}`]);
      const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
      assert.deepEqual(words(outcomes), ['deferred 4.5.0']);
      assert.equal(agent.log.filter((line) => line.startsWith('warning: QID: non-ESMTP response')).length, 1);
      assert.equal(agent.log.filter((line) => line.startsWith('warning: to prevent loss')).length, isHelpful ? 1 : 0);
    }
  });

  it('tells of a reply without end that the rest of it is left out', async () => {
    await using sink = await startSink({ ehlo: `${'250-x\r\n'.repeat(1000)}250 SIZE 1` });
    await using agent = startAgent();
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
    const beginning = '250-x?250-x?250-x?250-x?250-x?...';
    assert.deepEqual(agent.log.slice(0, -1), [
      `warning: 127.0.0.1[127.0.0.1]:${sink.port}: multi-line response longer than 2048 ${beginning}`,
    ]);
  });

  it('tells of a server out of step before there is mail, too', async () => {
    const ehlo = '250-s\r\n250-PIPELINING\r\n250 STARTTLS';
    await using sink = await startSink({ ehlo, starttls: 'what?\r\n454 no' });
    await using agent = startAgent(['smtp_tls_security_level = may']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['deferred 4.5.0']);
    assert.equal(agent.log.filter((line) => line.startsWith('warning: QID: non-ESMTP response')).length, 1);
  });

  it('returns what is too large for the server without sending it', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 SIZE 10' });
    await using agent = startAgent();
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.equal(outcomes[0]?.status.reason, 'message size 20 exceeds size limit 10 of server 127.0.0.1[127.0.0.1]');
    assert.equal(outcomes[0]?.kind, 'bounced');
  });

  it('defers and reports the site when nobody listens', async () => {
    const sink = await startSink();
    await sink[Symbol.asyncDispose]();
    await using agent = startAgent();
    const { outcomes, siteFailure } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    const reason = `connect to 127.0.0.1[127.0.0.1]:${sink.port}: Connection refused`;
    assert.deepEqual(words(outcomes), ['deferred 4.4.1']);
    assert.equal(siteFailure?.reason, reason);
    assert.deepEqual(agent.log, [reason, `QID: to=<u@x.example>, relay=none, dsn=4.4.1, status=deferred (${reason})`]);
  });

  for (const [greeting, code] of [
    ['421 4.3.2 busy', '4.3.2'],
    ['554 5.7.1 go away', '4.7.1'],
    ['354 what?', '5.5.0'],
  ] as const) {
    const isLater = code.startsWith('4');
    it(`${isLater ? 'defers' : 'returns'} all recipients of a site after ${greeting.slice(0, 3)} as greeting`, async () => {
      await using sink = await startSink({ connect: greeting });
      await using agent = startAgent();
      const { outcomes, siteFailure } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
      assert.deepEqual(words(outcomes), [`${isLater ? 'deferred' : 'bounced'} ${code}`]);
      const reason = `host 127.0.0.1[127.0.0.1] refused to talk to me: ${greeting}`;
      assert.equal(outcomes[0]?.status.reason, reason);
      assert.equal(siteFailure?.reason, isLater ? reason : undefined);
    });
  }

  for (const [stage, doing, site] of [
    ['connect', 'receiving the initial server greeting', true],
    ['ehlo', 'performing the EHLO handshake', true],
    ['mail', 'sending MAIL FROM', true],
    ['rcpt', 'sending RCPT TO', true],
    ['data', 'sending DATA command', true],
    ['dot', 'sending end of data -- message may be sent more than once', true],
  ] as const) {
    it(`tells that the connection was lost at ${stage}`, async () => {
      await using sink = await startSink({ [stage]: 'close' });
      await using agent = startAgent();
      const { outcomes, siteFailure } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
      assert.deepEqual(words(outcomes), ['deferred 4.4.2']);
      assert.equal(outcomes[0]?.status.reason, `lost connection with 127.0.0.1[127.0.0.1] while ${doing}`);
      assert.equal(siteFailure !== undefined, site);
    });
  }

  it('waits for a server that is slow, but takes what comes', async () => {
    const said = ['220 s ESMTP', '250 s', '250 Ok', '250 Ok', '354 Go on'];
    const server = createServer({ highWaterMark: 64 * 1024 }, (socket) => {
      let tail = '';
      socket.on('error', () => {});
      socket.write(`${said[0]}\r\n`);
      let place = 1;
      socket.on('data', (chunk) => {
        if (place < said.length) return void socket.write(`${said[place++]}\r\n`);
        tail = (tail + chunk.toString('latin1')).slice(-5);
        if (tail === '\r\n.\r\n') return void socket.write('250 2.0.0 Ok\r\n');
        socket.pause();
        setTimeout(() => socket.resume(), 4);
      });
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, '127.0.0.1', resolve);
    await promise;
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await using agent = startAgent(['smtp_data_xfer_timeout = 1s']);
    const content = `Subject: x\r\n\r\n${`${'y'.repeat(998)}\r\n`.repeat(30_000)}`;
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${port}`, ['u@x.example'], {}, content));
    server.close();
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
  });

  it('tells that a conversation timed out', async () => {
    await using sink = await startSink({ ehlo: '250 s', mail: 'silence' });
    await using agent = startAgent(['smtp_mail_timeout = 1s']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.equal(
      outcomes[0]?.status.reason,
      'conversation with 127.0.0.1[127.0.0.1] timed out while sending MAIL FROM',
    );
  });

  it('says nothing more to a server that was silent in the handshake', async () => {
    await using sink = await startSink({ ehlo: 'silence', quit: 'silence' });
    await using agent = startAgent(['smtp_helo_timeout = 1s', 'smtp_skip_quit_response = no']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['deferred 4.4.2']);
    await sink.ended();
    assert.deepEqual(sink.seen, ['[connect]', 'EHLO mail.example.com']);
  });

  it('takes recipients that are refused softly to the next server', async () => {
    await using first = await startSink({ rcpt: (line) => (line.includes('<later@') ? '450 4.2.0 later' : undefined) });
    await using second = await startSink({}, { host: '127.0.0.2', port: first.port });
    const resolver = zone({
      'x.example MX': [mx('x.example', 20, 'two.example'), mx('x.example', 10, 'one.example')],
      'one.example A': [a('one.example', '127.0.0.1')],
      'two.example A': [a('two.example', '127.0.0.2')],
    });
    await using agent = startAgent([], { resolver });
    const { outcomes } = await agent.deliver(request(`x.example:${first.port}`, ['now@x.example', 'later@x.example']));
    assert.deepEqual(words(outcomes), ['sent 2.0.0', 'sent 2.0.0']);
    assert.equal(agent.log[0], 'QID: host one.example[127.0.0.1] said: 450 4.2.0 later (in reply to RCPT TO command)');
    assert.ok(second.seen.includes('RCPT TO:<later@x.example> ORCPT=rfc822;later@x.example'));
    assert.ok(!second.seen.some((line) => line.includes('now@')));
  });

  it('keeps connections for a destination with a backlog', async () => {
    await using sink = await startSink();
    await using agent = startAgent();
    const host = `[127.0.0.1]:${sink.port}`;
    for (let place = 0; place < 3; place++) {
      await agent.deliver(request(host, ['u@x.example'], { reuseConnection: true }));
    }
    assert.equal(sink.seen.filter((line) => line === '[connect]').length, 1);
    assert.equal(sink.seen.filter((line) => line === 'RSET').length, 2);
    assert.ok(agent.log[2]?.includes(', conn_use=3, '));
  });

  it('uses a connection again as often as smtp_connection_reuse_count_limit says', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_connection_reuse_count_limit = 2']);
    const host = `[127.0.0.1]:${sink.port}`;
    for (let place = 0; place < 4; place++) {
      await agent.deliver(request(host, ['u@x.example'], { reuseConnection: true }));
    }
    const uses = agent.log.map((line) => /conn_use=(\d+)/.exec(line)?.[1] ?? '1');
    assert.deepEqual(uses, ['1', '2', '3', '1']);
  });

  it('keeps no connection on which more was said than was asked for', async () => {
    await using sink = await startSink({ ehlo: '250 s', dot: '250 2.0.0 Ok\r\n250 2.0.0 Ok' });
    await using agent = startAgent();
    const host = `[127.0.0.1]:${sink.port}`;
    for (let place = 0; place < 2; place++) {
      const { outcomes } = await agent.deliver(request(host, ['u@x.example'], { reuseConnection: true }));
      assert.deepEqual(words(outcomes), ['sent 2.0.0']);
    }
    assert.equal(sink.seen.filter((line) => line === '[connect]').length, 2);
  });

  for (const protocol of ['smtp', 'lmtp'] as const) {
    it(`hears a reply for each of many recipients of one message (${protocol})`, async () => {
      await using sink = await startSink(protocol === 'lmtp' ? { lmtp: 'yes' } : {});
      await using agent = startAgent([], { protocol });
      const recipients = Array.from({ length: 5500 }, (_, place) => `u${place}@x.example`);
      const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, recipients));
      assert.deepEqual([...new Set(words(outcomes))], ['sent 2.0.0']);
      assert.equal(outcomes.length, recipients.length);
    });
  }

  it('never takes a kept connection for mail that must have TLS', async () => {
    await using sink = await startSink();
    const resolver = zone({
      'open.example A': [a('open.example', '127.0.0.1')],
      'strict.example A': [a('strict.example', '127.0.0.1')],
    });
    const [open, strict] = [`[open.example]:${sink.port}`, `[strict.example]:${sink.port}`];
    await using agent = startAgent([`smtp_tls_policy_maps = inline:{{${strict} = encrypt}}`], { resolver });
    const first = await agent.deliver(request(open, ['u@x.example'], { reuseConnection: true }));
    const second = await agent.deliver(request(strict, ['u@x.example'], { reuseConnection: true }));
    assert.deepEqual([...words(first.outcomes), ...words(second.outcomes)], ['sent 2.0.0', 'deferred 4.7.4']);
  });

  it('opens a new connection when the kept one is gone', async () => {
    let calls = 0;
    await using sink = await startSink({ rset: () => (++calls === 1 ? 'close' : undefined) });
    await using agent = startAgent();
    const host = `[127.0.0.1]:${sink.port}`;
    await agent.deliver(request(host, ['u@x.example'], { reuseConnection: true }));
    const { outcomes } = await agent.deliver(request(host, ['u@x.example'], { reuseConnection: true }));
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
    assert.equal(sink.seen.filter((line) => line === '[connect]').length, 2);
  });

  it('speaks LMTP over a UNIX-domain socket, a reply for each recipient', async () => {
    const path = `/tmp/lmtp-${process.pid}.sock`;
    await using sink = await startSink(
      { lmtp: 'yes', dot: (rcpt) => (rcpt.includes('<full@') ? '452 4.2.2 full' : '250 2.0.0 saved') },
      { path },
    );
    await using agent = startAgent([], { protocol: 'lmtp' });
    const { outcomes } = await agent.deliver(request(`unix:${path}`, ['a@x.example', 'full@x.example']));
    assert.deepEqual(words(outcomes), ['sent 2.0.0', 'deferred 4.2.2']);
    assert.equal(sink.seen[1], 'LHLO mail.example.com');
    assert.ok(agent.log[0]?.includes(`relay=mail.example.com[${path}], `));
  });

  it('takes a socket with too long a path for a mistake in the configuration', async () => {
    await using agent = startAgent([], { protocol: 'lmtp' });
    const path = `/${'x'.repeat(107)}`;
    const { outcomes } = await agent.deliver(request(`unix:${path}`, ['a@x.example']));
    assert.deepEqual(words(outcomes), ['deferred 4.3.5']);
    assert.equal(agent.log[0], `warning: unix-domain name too long: ${path}`);
  });

  it('says what it can not do instead of doing without', async () => {
    await using agent = startAgent(['smtp_tls_per_site = inline:{x=MUST}']);
    const { outcomes } = await agent.deliver(request('[127.0.0.1]:9', ['u@x.example']));
    assert.deepEqual(words(outcomes), ['deferred 4.7.5']);
  });

  it('defers when TLS is required but not offered', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_tls_security_level = encrypt']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.equal(outcomes[0]?.status.reason, 'TLS is required, but was not offered by host 127.0.0.1[127.0.0.1]');
  });

  it('keeps to the TLS policy of a destination, and never to less', async () => {
    await using sink = await startSink();
    const site = `[127.0.0.1]:${sink.port}`;
    for (const [policy, code] of [
      ['none', 'sent 2.0.0'],
      ['encrypt', 'deferred 4.7.4'],
      ['secure', 'deferred 4.7.4'],
      ['encrypt protocols=TLSv1.3', 'deferred 4.7.4'],
      ['encrypt match=x', 'deferred 4.7.5'],
      ['nonsense', 'deferred 4.7.5'],
    ] as const) {
      await using agent = startAgent([`smtp_tls_policy_maps = inline:{{${site} = ${policy}}}`]);
      const { outcomes } = await agent.deliver(request(site, ['u@x.example']));
      assert.deepEqual(words(outcomes), [code]);
    }
    await using broken = startAgent(['smtp_tls_policy_maps = fail:x']);
    const { outcomes } = await broken.deliver(request(site, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['deferred 4.7.5']);
  });

  it('probes without sending content', async () => {
    await using sink = await startSink({ rcpt: (line) => (line.includes('no@') ? '550 5.1.1 no' : undefined) });
    await using agent = startAgent();
    const host = `[127.0.0.1]:${sink.port}`;
    const { outcomes } = await agent.deliver(request(host, ['yes@x.example', 'no@x.example'], { probe: true }));
    assert.deepEqual(words(outcomes), ['deliverable 2.1.5', 'undeliverable 5.1.1']);
    await sink.ended();
    assert.deepEqual(sink.seen.slice(-2), ['RSET', 'QUIT']);
  });

  it('forwards the origin of a message with XFORWARD', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 XFORWARD NAME ADDR PROTO HELO SOURCE' });
    await using agent = startAgent(['smtp_send_xforward_command = yes']);
    await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(sink.seen.slice(2, 4), [
      'XFORWARD NAME=client.example ADDR=192.0.2.1',
      'XFORWARD PROTO=ESMTP HELO=helo.example SOURCE=REMOTE',
    ]);
  });

  it('tells the next server the queue ID that XFORWARD told of, and its own where it told of none', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 XFORWARD IDENT' });
    await using agent = startAgent(['smtp_send_xforward_command = yes']);
    const host = `[127.0.0.1]:${sink.port}`;
    await agent.deliver(request(host, ['u@x.example']));
    await agent.deliver(request(host, ['u@x.example'], { envelope: { ...envelope, forwardedQueueId: 'ABC' } }));
    const told = sink.seen.filter((line) => line.startsWith('XFORWARD'));
    assert.deepEqual(told, ['XFORWARD IDENT=QID', 'XFORWARD IDENT=ABC']);
  });

  it('goes from any address when it cannot take the one it was told to, unless that is enforced', async () => {
    await using sink = await startSink();
    const lines = ['smtp_bind_address = 192.0.2.1'];
    const host = `[127.0.0.1]:${sink.port}`;
    const complaint = 'warning: smtp_connect_addr: bind 192.0.2.1: Cannot assign requested address';
    await using agent = startAgent(lines);
    const { outcomes } = await agent.deliver(request(host, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
    assert.equal(agent.log[0], complaint);
    await using strict = startAgent([...lines, 'smtp_bind_address_enforce = yes']);
    const kept = await strict.deliver(request(host, ['u@x.example']));
    assert.deepEqual(words(kept.outcomes), ['deferred 4.4.0']);
    assert.deepEqual(strict.log.slice(0, 2), [complaint, 'server configuration error']);
  });

  it('goes from the only address of inet_interfaces where it can', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['inet_interfaces = 192.0.2.1', 'smtp_bind_address_enforce = yes']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
    assert.equal(agent.log[0], 'warning: smtp_connect_addr: bind 192.0.2.1: Cannot assign requested address');
  });

  it('names the list of tables whose result is empty', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_discard_ehlo_keyword_address_maps = inline:{{127.0.0.1=}}']);
    await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.equal(
      agent.log[0],
      'smtp_discard_ehlo_keyword_address_maps lookup of 127.0.0.1 returns an empty string result',
    );
  });

  it('leaves word of success to a server that knows DSN, also where the delivery is final', async () => {
    for (const [ehlo, action] of [
      ['250-s\r\n250 DSN', undefined],
      ['250 s', 'delivered'],
    ] as const) {
      await using sink = await startSink({ ehlo });
      await using agent = startAgent([], { args: ['flags=X'] });
      const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
      assert.deepEqual(
        outcomes.map((outcome) => outcome.action),
        [action],
      );
    }
  });

  it('converts 8-bit content for a server without 8BITMIME', async () => {
    await using sink = await startSink({ ehlo: '250 s' });
    await using agent = startAgent();
    const content =
      'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="BB"\r\nContent-Transfer-Encoding: 8bit\r\n\r\n' +
      '--BB\r\nContent-Transfer-Encoding: 8bit\r\nX: y\r\n\r\nb\xc3\xa4 \r\n--BB\r\n\r\nplain=\r\n--BB--\r\nend\r\n';
    await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], {}, content));
    assert.equal(
      sink.seen.find((line) => line.startsWith('DATA:'))?.slice(5),
      'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="BB"\r\nContent-Transfer-Encoding: 7bit\r\n\r\n' +
        '--BB\r\nX: y\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nb=C3=A4=20\r\n--BB\r\n\r\nplain=\r\n--BB--\r\nend\r\n',
    );
  });

  it('rewrites addresses with generic maps, in the envelope and in headers', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_generic_maps = inline:{{from@example.org=out@example.com}}']);
    const content = 'From: Me <from@example.org>\r\nX-From: from@example.org\r\n\r\nfrom@example.org\r\n';
    await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], {}, content));
    assert.equal(sink.seen[2], 'MAIL FROM:<out@example.com>');
    assert.equal(
      sink.seen[5],
      'DATA:From: Me <out@example.com>\r\nX-From: from@example.org\r\n\r\nfrom@example.org\r\n',
    );
  });
});

describe('login at a server', () => {
  const passwords = 'smtp_sasl_password_maps = inline:{{127.0.0.1=me:secret}}';
  const plainAllowed = 'smtp_sasl_security_options = noanonymous';

  it('uses the password of the server with PLAIN', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 AUTH PLAIN LOGIN', auth: '235 2.7.0 ok' });
    await using agent = startAgent(['smtp_sasl_auth_enable = yes', passwords, plainAllowed]);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
    assert.equal(sink.seen[2], `AUTH PLAIN ${Buffer.from('\0me\0secret').toString('base64')}`);
  });

  it('answers the challenge of CRAM-MD5 (RFC 2195, 2)', async () => {
    const challenge = Buffer.from('<1896.697170952@postoffice.reston.mci.net>').toString('base64');
    const answer = Buffer.from('tim b913a602c7eda7a495b4e6e7334d3890').toString('base64');
    await using sink = await startSink({
      ehlo: '250-s\r\n250 AUTH CRAM-MD5',
      auth: `334 ${challenge}`,
      [answer.toLowerCase()]: '235 2.7.0 ok',
    });
    const maps = 'smtp_sasl_password_maps = inline:{{127.0.0.1=tim:tanstaaftanstaaf}}';
    await using agent = startAgent(['smtp_sasl_auth_enable = yes', maps]);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.equal(sink.seen[3], answer);
    assert.deepEqual(words(outcomes), ['sent 2.0.0']);
  });

  it('prefers SCRAM, and gives up on a challenge that makes no sense', async () => {
    await using sink = await startSink({
      ehlo: '250-s\r\n250 AUTH PLAIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256',
      auth: `334 ${Buffer.from('nonsense').toString('base64')}`,
      '*': '501 5.7.0 aborted',
    });
    await using agent = startAgent(['smtp_sasl_auth_enable = yes', passwords]);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    const [, mechanism, first = ''] = sink.seen[2]?.split(' ') ?? [];
    assert.equal(mechanism, 'SCRAM-SHA-256');
    assert.match(Buffer.from(first, 'base64').toString(), /^n,,n=me,r=[^,]{16,}$/);
    assert.equal(sink.seen[3], '*');
    assert.deepEqual(words(outcomes), ['deferred 4.7.0']);
  });

  it('defers when only forbidden mechanisms are offered, or the password is wrong', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 AUTH PLAIN', auth: '535 5.7.8 wrong' });
    const site = `[127.0.0.1]:${sink.port}`;
    await using careful = startAgent(['smtp_sasl_auth_enable = yes', passwords]);
    await using plain = startAgent(['smtp_sasl_auth_enable = yes', passwords, plainAllowed]);
    const first = await careful.deliver(request(site, ['u@x.example']));
    const second = await plain.deliver(request(site, ['u@x.example']));
    assert.deepEqual(words(first.outcomes), ['deferred 4.7.0']);
    assert.equal(
      second.outcomes[0]?.status.reason,
      'SASL authentication failed; server 127.0.0.1[127.0.0.1] said: 535 5.7.8 wrong',
    );
    assert.equal(second.outcomes[0]?.status.code, '4.7.8');
  });

  it('tells what keeps it from logging in', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 AUTH PLAIN LOGIN' });
    const site = `[127.0.0.1]:${sink.port}`;
    const server = '127.0.0.1[127.0.0.1]';
    const attempt = async (...settings: string[]) => {
      await using agent = startAgent(['smtp_sasl_auth_enable = yes', ...settings]);
      const { outcomes } = await agent.deliver(request(site, ['u@x.example']));
      const warnings = agent.log.filter((line) => line.startsWith('warning: ')).map((line) => line.slice(9));
      return [outcomes[0]?.status.code, outcomes[0]?.status.reason, warnings.join('\n')];
    };
    assert.deepEqual(await attempt(passwords), [
      '4.7.0',
      `SASL authentication failed; cannot authenticate to server ${server}: no mechanism available`,
      'SASL authentication failure: No worthy mechs found',
    ]);
    assert.deepEqual(await attempt(passwords, plainAllowed, 'smtp_sasl_mechanism_filter = cram-md5'), [
      '4.7.0',
      `SASL authentication failed: server ${server} offered no compatible authentication mechanisms for this type of connection security`,
      `${server}:${sink.port} offered no supported AUTH mechanisms: 'PLAIN LOGIN'`,
    ]);
    assert.deepEqual(await attempt('smtp_sasl_password_maps = fail:broken'), [
      '4.3.0',
      `local data error while talking to ${server}`,
      'QID: smtp_sasl_password_maps lookup error',
    ]);
  });

  it('defers when there is no end of challenges', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 AUTH PLAIN', auth: '334 more', '*': '334 more' });
    await using agent = startAgent(['smtp_sasl_auth_enable = yes', passwords, plainAllowed]);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(words(outcomes), ['deferred 4.5.0']);
    assert.equal(sink.seen.filter((line) => line === '*').length, 1);
  });

  it('looks for a server that knows SMTPUTF8, and returns mail that needs it when there is none', async () => {
    await using old = await startSink();
    await using able = await startSink(
      { ehlo: '250-s\r\n250-8BITMIME\r\n250 SMTPUTF8' },
      { host: '127.0.0.2', port: old.port },
    );
    const what = { envelope: { ...envelope, smtputf8: true } };
    const resolver = zone({
      'x.example MX': [mx('x.example', 10, 'one.example'), mx('x.example', 20, 'two.example')],
      'one.example A': [a('one.example', '127.0.0.1')],
      'two.example A': [a('two.example', '127.0.0.2')],
    });
    await using agent = startAgent([], { resolver });
    const sent = await agent.deliver(request(`x.example:${old.port}`, ['ü@x.example'], what));
    assert.deepEqual(words(sent.outcomes), ['sent 2.0.0']);
    assert.ok(able.seen.includes('MAIL FROM:<from@example.org> SMTPUTF8'));
    await using second = await startSink();
    const returned = await agent.deliver(request(`[127.0.0.1]:${second.port}`, ['ü@x.example'], what));
    assert.deepEqual(words(returned.outcomes), ['bounced 5.6.7']);
    assert.match(returned.outcomes[0]?.status.reason ?? '', /^message requires SMTPUTF8, .* server was 127\.0\.0\.1\[/);
    await second.ended();
    assert.deepEqual(second.seen.slice(-1), ['QUIT']);
  });
});
