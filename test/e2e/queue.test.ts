/** What happens to mail that cannot leave at once: restarts, kills, bounces, and the commands for the queue. */
import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createTransport } from 'nodemailer';
import { freePort, QuickStart, until } from './support/quick-start.ts';
import { Sink } from './support/sink.ts';

describe('the queue', () => {
  const servers: QuickStart[] = [];
  const sinks: Sink[] = [];
  const start = async (settings: readonly string[] = []): Promise<QuickStart> => {
    const server = await QuickStart.start(settings);
    servers.push(server);
    return server;
  };
  const sinkAt = async (port: number, answer?: (command: string) => string | undefined): Promise<Sink> => {
    const sink = new Sink(answer);
    sinks.push(sink);
    await sink.listen(port);
    return sink;
  };
  afterEach(async () => {
    for (const sink of sinks.splice(0)) sink.close();
    for (const server of servers.splice(0)) await server.remove();
  });
  const message = (subject: string): string => `Subject: ${subject}\n\nbody of ${subject}\n`;

  it('delivers after a restart what could not leave before, and stops cleanly', async () => {
    const port = await freePort();
    const server = await start([`relayhost = [127.0.0.1]:${port}`]);
    server.command('sendmail', ['-f', 'me@example.org', 'far@elsewhere.example'], message('waiting'));
    await server.logged(/to=<far@elsewhere\.example>, .*status=deferred \(connect to 127\.0\.0\.1/);
    assert.match(server.command('postqueue', ['-p']), /far@elsewhere\.example/);
    assert.equal(await server.stop(), 0);
    const sink = await sinkAt(port);
    await server.start();
    server.command('postqueue', ['-f']);
    const [taken] = await until('the next hop to get it', () => (sink.taken.length > 0 ? sink.taken : undefined));
    assert.ok(taken !== undefined);
    assert.ok(taken.commands.some((command) => command.startsWith('MAIL FROM:<me@example.org>')));
    assert.match(taken.content, /body of waiting$/);
    await until('the queue to be empty', () =>
      server.command('postqueue', ['-p']).startsWith('Mail queue is empty') ? true : undefined,
    );
  });

  it('keeps what sendmail takes while the system is down', async () => {
    const server = await start();
    await server.stop();
    server.command('sendmail', ['-t'], `To: down@${server.domain}\n${message('down')}`);
    await server.start();
    const [mail = ''] = await server.arrived('down');
    assert.match(mail, /body of down/);
  });

  it('loses nothing that it acknowledged when it is killed', async () => {
    const server = await start();
    const transport = createTransport({
      host: '127.0.0.1',
      port: server.port,
      secure: false,
      ignoreTLS: true,
      pool: true,
      maxConnections: 5,
    });
    const acknowledged: string[] = [];
    let isKilled = false;
    const sending = Array.from({ length: 60 }, async (_, i) => {
      try {
        await transport.sendMail({
          from: 'a@example.org',
          to: `kill@${server.domain}`,
          subject: `n${i}x`,
          text: 'body',
        });
        acknowledged.push(`n${i}x`);
        if (acknowledged.length === 20 && !isKilled) {
          isKilled = true;
          await server.stop('SIGKILL');
        }
      } catch {
        // what was not acknowledged may be lost
      }
    });
    await Promise.all(sending);
    transport.close();
    assert.ok(acknowledged.length >= 20 && acknowledged.length < 60, `${acknowledged.length} acknowledged`);
    await server.start();
    await until('all acknowledged messages', () => {
      const mail = server.mailOf('kill');
      return acknowledged.every((subject) => mail.some((text) => text.includes(`Subject: ${subject}\n`)))
        ? true
        : undefined;
    });
  });

  it('returns to the sender what the next hop refuses', async () => {
    const port = await freePort();
    await sinkAt(port, (command) => (command.startsWith('RCPT') ? '550 5.1.1 no such user here' : undefined));
    const server = await start([`relayhost = [127.0.0.1]:${port}`]);
    server.command('sendmail', ['-f', `me@${server.domain}`, 'nobody@elsewhere.example'], message('refused'));
    const [notice = ''] = await server.arrived('me');
    assert.match(notice, /^Subject: Undelivered Mail Returned to Sender$/m);
    assert.match(notice, /^Return-Path: <>$/m);
    assert.match(notice, /^Final-Recipient: rfc822; nobody@elsewhere\.example$/m);
    assert.match(notice, /^Status: 5\.1\.1$/m);
    assert.match(notice, /no such user here/);
    assert.match(notice, /body of refused/);
  });

  it('holds, shows, releases and removes messages', async () => {
    const port = await freePort();
    const server = await start([`relayhost = [127.0.0.1]:${port}`]);
    for (const name of ['one', 'two']) {
      server.command('sendmail', ['-f', 'me@example.org', `${name}@elsewhere.example`], message(name));
      await server.logged(new RegExp(`to=<${name}@elsewhere\\.example>, .*status=deferred`));
    }
    const list = (): readonly {
      readonly queue_name: string;
      readonly queue_id: string;
      readonly recipients: unknown;
    }[] =>
      server
        .command('postqueue', ['-j'])
        .split('\n')
        .filter((line) => line !== '')
        .map((line): { queue_name: string; queue_id: string; recipients: unknown } => JSON.parse(line));
    const idOf = (name: string): string =>
      list().find(({ recipients }) => JSON.stringify(recipients).includes(name))?.queue_id ?? '';
    const one = idOf('one');
    server.command('postsuper', ['-h', one]);
    assert.equal(list().find(({ queue_id: id }) => id === one)?.queue_name, 'hold');
    assert.match(server.command('postcat', ['-q', one]), /\nbody of one\n/);
    server.command('postsuper', ['-H', one]);
    server.command('postsuper', ['-d', idOf('two')]);
    assert.equal(list().length, 1);
    const sink = await sinkAt(port);
    server.command('postqueue', ['-f']);
    await until('the next hop to get it', () => (sink.taken.length === 1 ? true : undefined));
  });

  /** From elsewhere, to a sink: the header section as the sink has got it, after Received: fields. */
  async function strangersHeader(to: string, port: number, server: QuickStart): Promise<string> {
    const mail = 'From: joe\nTo: al@host.far.example\n\nbody\n';
    server.command('sendmail', ['-G', '-f', 'joe@stranger.example', to], mail);
    await server.logged(/to=<far@elsewhere\.example>, .*status=deferred/);
    server.command('postsuper', ['-r', 'ALL']);
    await server.logged(/uid=\d+ from=<joe@stranger\.example> orig_id=/);
    const sink = await sinkAt(port);
    return until('the next hop to get it', () => {
      server.command('postqueue', ['-f']);
      return sink.taken[0]?.content.replace(/^[^]*?(?=^From:)/m, '').replace(/\r?\n\r?\n[^]*/, '');
    });
  }

  it("keeps a stranger's header section as it is when mail is requeued or sent on by an alias", async () => {
    for (const to of ['far@elsewhere.example', 'alias@forward.example']) {
      const port = await freePort();
      const server = await start([
        `relayhost = [127.0.0.1]:${port}`,
        'masquerade_domains = far.example',
        'mydestination = forward.example',
        'alias_maps = inline:{ alias=far@elsewhere.example }',
      ]);
      assert.equal(await strangersHeader(to, port, server), 'From: joe\r\nTo: al@host.far.example');
    }
  });
});
