import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import type { DeliveryAgent } from '#message';
import { request } from '../request.ts';
import { a, mx, startAgent, startSink, zone } from './sink.ts';

/** What one recipient came to, with the reason. */
async function fate(agent: ReturnType<typeof startAgent>, nexthop: string): Promise<string> {
  const { outcomes } = await agent.deliver(request(nexthop, ['u@x.example']));
  const [one] = outcomes;
  return `${one?.kind} ${one?.status.code} ${one?.status.reason}`;
}

describe('the choice of servers', () => {
  const resolver = zone({
    'self.example MX': [mx('self.example', 10, 'mail.example.com')],
    'second.example MX': [mx('second.example', 10, 'down.example'), mx('second.example', 20, 'mail.example.com')],
    'lost.example MX': [mx('lost.example', 10, 'none.example'), mx('lost.example', 20, 'mail.example.com')],
    'mail.example.com A': [a('mail.example.com', '127.0.0.1')],
    'down.example A': [a('down.example', '127.0.0.99')],
    'nohost.example MX': [mx('nohost.example', 10, 'none.example')],
    'soft.example MX': [mx('soft.example', 10, 'none.example'), mx('soft.example', 20, 'slow.example')],
    'slow.example A': 'tryAgain',
    'null.example MX': 'nullMx',
    'servfail.example MX': 'tryAgain',
  });
  const own = ['inet_interfaces = 127.0.0.1', 'inet_protocols = ipv4'];

  for (const [domain, expected] of [
    ['self.example', 'bounced 5.4.6 mail for self.example loops back to myself'],
    ['second.example', 'deferred 4.4.1 connect to down.example[127.0.0.99]:25: Connection refused'],
    ['lost.example', 'deferred 4.4.4 unable to find primary relay for lost.example'],
    ['nohost.example', 'bounced 5.4.4 noName none.example A'],
    ['soft.example', 'deferred 4.4.3 tryAgain slow.example A'],
    ['gone.example', 'bounced 5.4.4 noName gone.example A'],
    ['null.example', 'bounced 5.1.0 nullMx null.example MX'],
    ['servfail.example', 'deferred 4.4.3 tryAgain servfail.example MX'],
    ['[mail.example.com]', 'bounced 5.4.6 mail for mail.example.com loops back to myself'],
  ] as const) {
    it(`comes for ${domain} to: ${expected}`, async () => {
      await using agent = startAgent(own, { resolver });
      assert.equal(await fate(agent, domain), expected);
    });
  }

  it('completes short names as resolv.conf has it, where smtp_dns_resolver_options asks for it', async () => {
    const searchList = (): { search: string[]; ndots: number } => ({ search: ['example'], ndots: 1 });
    await using agent = startAgent([...own, 'smtp_dns_resolver_options = res_defnames'], { resolver, searchList });
    assert.equal(await fate(agent, 'null'), 'bounced 5.1.0 nullMx null.example MX');
    await using other = startAgent(own, { resolver, searchList });
    assert.equal(await fate(other, 'null'), 'bounced 5.4.4 noName null A');
  });

  it('passes mail to best_mx_transport where this host is the best server', async () => {
    const seen: string[] = [];
    const local: DeliveryAgent = {
      deliver({ transport, nexthop, recipients }, report) {
        seen.push(`${transport} ${nexthop} ${recipients.map(({ address }) => address).join()}`);
        for (const { index } of recipients) report({ index, kind: 'sent', status: { code: '2.0.0', reason: 'there' } });
        return Promise.resolve({});
      },
    };
    const agents = new Map([['local', local]]);
    const lines = (target: string): readonly string[] => [...own, `best_mx_transport = ${target}`];
    await using agent = startAgent(lines('local'), { resolver, agents });
    assert.equal(await fate(agent, 'self.example'), 'sent 2.0.0 there');
    assert.deepEqual(agent.log, ['QID: passing <u@x.example> to transport=local']);
    await using elsewhere = startAgent(lines('local:there.example'), { resolver, agents });
    assert.equal(await fate(elsewhere, 'self.example'), 'sent 2.0.0 there');
    assert.deepEqual(seen, ['local self.example u@x.example', 'local there.example u@x.example']);
    // other mail is not its business
    assert.match(await fate(agent, 'second.example'), /^deferred 4\.4\.1/);
  });

  it('ends when all was told, also what a status filter decides late, where it passes mail on', async () => {
    const passed = Promise.withResolvers<void>();
    const local: DeliveryAgent = {
      deliver({ recipients }, report) {
        for (const { index } of recipients) report({ index, kind: 'sent', status: { code: '2.0.0', reason: 'there' } });
        passed.resolve();
        return Promise.resolve({});
      },
    };
    await using filter = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => void passed.promise.then(() => socket.end('500 none\n')));
    });
    await new Promise<void>((resolve) => filter.listen(0, '127.0.0.1', resolve));
    const address = filter.address();
    assert.ok(typeof address === 'object' && address !== null);
    await using sink = await startSink({
      rcpt: (command) => (command.includes('bad') ? '550 5.1.1 no' : '450 4.2.0 x'),
    });
    const lines = [...own, 'best_mx_transport = local', `smtp_delivery_status_filter = tcp:127.0.0.1:${address.port}`];
    await using agent = startAgent(lines, { resolver, agents: new Map([['local', local]]) });
    const nexthop = `[127.0.0.1]:${sink.port}, self.example`;
    const { outcomes } = await agent.deliver(request(nexthop, ['bad@x.example', 'u@x.example']));
    assert.deepEqual(outcomes.map(({ index, kind }) => `${index} ${kind}`).toSorted(), ['0 bounced', '1 sent']);
  });

  it('keeps mail where best_mx_transport is none, or this one', async () => {
    const told = async (target: string): Promise<readonly unknown[]> => {
      await using agent = startAgent([...own, `best_mx_transport = ${target}`], { resolver });
      return [await fate(agent, 'self.example'), agent.log[0]];
    };
    assert.deepEqual(await told('nosuch'), [
      'deferred 4.3.0 mail transport unavailable',
      'warning: unknown transport: nosuch',
    ]);
    assert.deepEqual(await told('smtp'), [
      'deferred 4.3.5 mail system configuration error',
      'warning: QID: transport smtp is one that passes the mail on',
    ]);
  });

  it('never bounces for a relayhost that can not be found', async () => {
    await using agent = startAgent([...own, 'relayhost = gone.example'], { resolver });
    assert.equal(await fate(agent, 'gone.example'), 'deferred 4.3.5 noName gone.example A');
    assert.equal(agent.log[0], 'warning: relayhost configuration problem');
  });

  it('goes to the fallback relay when nothing else is left, but not when mail would loop', async () => {
    await using sink = await startSink();
    await using agent = startAgent([...own, `smtp_fallback_relay = [127.0.0.1]:${sink.port}`], { resolver });
    assert.match(await fate(agent, 'gone.example'), /^sent/);
    assert.match(await fate(agent, 'self.example'), /^bounced 5\.4\.6/);
  });

  it('turns bounces into deferrals with soft_bounce', async () => {
    await using sink = await startSink({ rcpt: '550 5.1.1 no' });
    await using agent = startAgent(['soft_bounce = yes']);
    assert.match(await fate(agent, `[127.0.0.1]:${sink.port}`), /^deferred 4\.1\.1/);
    assert.ok(agent.log[0]?.includes('status=SOFTBOUNCE'));
  });
});

describe('a server that misbehaves', () => {
  /** What comes of a long message when the server hangs up in its middle, with these words. */
  async function fateOfHalf(lastWords: string): Promise<string> {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.write('220 x\r\n');
      let bytes = 0;
      socket.on('data', (chunk) => {
        const text = chunk.toString('latin1');
        if (text.startsWith('EHLO')) socket.write('250 x\r\n');
        else if (text.startsWith('MAIL') || text.startsWith('RCPT')) socket.write('250 ok\r\n');
        else if (text.startsWith('DATA')) socket.write('354 go\r\n');
        else if ((bytes += chunk.length) > 100_000) socket.end(`${lastWords}\r\n`);
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    await using agent = startAgent();
    const line = `${'x'.repeat(70)}\r\n`;
    const content = `Subject: x\r\n\r\n${line.repeat(300_000)}`;
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${address.port}`, ['u@x.example'], {}, content));
    server.close();
    return outcomes[0]?.kind ?? '';
  }

  it('may refuse in the middle of the content and hang up', async () => {
    assert.ok(['bounced', 'deferred'].includes(await fateOfHalf('552 5.3.4 too much')));
  });

  it('is not believed when it takes half of the content and hangs up', async () => {
    assert.equal(await fateOfHalf('250 2.0.0 Ok: queued as HALF'), 'deferred');
  });

  it('gets long lines broken, and the log tells once', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_line_length_limit = 20']);
    const content = `Subject: x\r\n\r\n${'y'.repeat(45)}\r\n.dot\r\n`;
    await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], {}, content));
    const sent = sink.seen.find((one) => one.startsWith('DATA:'))?.slice(5);
    const [y20, y19] = ['y'.repeat(20), 'y'.repeat(19)];
    assert.equal(sent, `Subject: x\r\n\r\n${y20}\r\n ${y19}\r\n ${'y'.repeat(6)}\r\n..dot\r\n`);
    assert.equal(agent.log[0], 'QID: breaking line > 20 bytes with <CR><LF>SPACE');
  });

  it('is not believed when it answers RCPT with 354 or 150', async () => {
    for (const rcpt of ['354 what', '150 what']) {
      await using sink = await startSink({ rcpt });
      await using agent = startAgent();
      assert.equal(
        await fate(agent, `[127.0.0.1]:${sink.port}`),
        `bounced 5.5.0 host 127.0.0.1[127.0.0.1] said: ${rcpt} (in reply to RCPT TO command)`,
      );
    }
  });

  it('speaks for itself when it answers with a code that begins with 0', async () => {
    await using sink = await startSink({ rcpt: '050 zero' });
    await using agent = startAgent();
    const said = 'bounced 5.5.0 host 127.0.0.1[127.0.0.1] said: 050 zero (in reply to RCPT TO command)';
    assert.equal(await fate(agent, `[127.0.0.1]:${sink.port}`), said);
  });

  it('is quoted as it wrote when its SIZE is no number', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 SIZE abc' });
    await using agent = startAgent();
    await fate(agent, `[127.0.0.1]:${sink.port}`);
    assert.match(agent.log[0] ?? '', /bad EHLO SIZE limit "abc" from/);
  });

  it('that says rubbish while commands are pipelined is left', async () => {
    await using sink = await startSink({ mail: 'what do you mean?' });
    await using agent = startAgent();
    assert.match(await fate(agent, `[127.0.0.1]:${sink.port}`), /^deferred 4\.5\.0 protocol error/);
    await using lmtp = await startSink({ mail: 'what do you mean?', lmtp: 'yes' });
    await using other = startAgent([], { protocol: 'lmtp' });
    await fate(other, `inet:127.0.0.1:${lmtp.port}`);
    assert.match(other.log[0] ?? '', /non-LMTP response/);
    assert.match(other.log[1] ?? '', /with the lmtp_discard_lhlo_keyword_address_maps parameter$/);
  });
});
