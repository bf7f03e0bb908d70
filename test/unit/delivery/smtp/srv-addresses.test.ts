import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DnsRecord } from '#dns';
import { request } from '../request.ts';
import { a, mx, startAgent, startSink, zone } from './sink.ts';

const name = '_submission._tcp.x.example';
const srv = (priority: number, weight: number, port: number, host: string): DnsRecord => ({
  type: 'SRV',
  name,
  ttl: 60,
  priority,
  weight,
  port,
  host,
});
const settings = ['use_srv_lookup = submission', 'smtp_tls_security_level = none'];

describe('a service with SRV records', () => {
  it('is found by priority, at the port of each server', async () => {
    await using sink = await startSink();
    const resolver = zone({
      [`${name} SRV`]: [srv(20, 0, 1, 'late.example'), srv(10, 5, sink.port, 'first.example')],
      'first.example A': [a('first.example', '127.0.0.1')],
      'late.example A': [a('late.example', '127.0.0.2')],
    });
    await using agent = startAgent(settings, { resolver });
    const { outcomes } = await agent.deliver(request('x.example:submission', ['u@x.example']));
    assert.equal(outcomes[0]?.kind, 'sent');
    assert.equal(outcomes[0]?.relay, `first.example[127.0.0.1]:${sink.port}`);
  });

  it('shares mail among servers of one priority by their weight', async () => {
    await using sink = await startSink();
    const resolver = zone({
      [`${name} SRV`]: [srv(1, 1, sink.port, 'light.example'), srv(1, 9, sink.port, 'heavy.example')],
      'light.example A': [a('light.example', '127.0.0.1')],
      'heavy.example A': [a('heavy.example', '127.0.0.1')],
    });
    const relayAt = async (random: number): Promise<string | undefined> => {
      await using agent = startAgent(settings, { resolver, random: () => random });
      const { outcomes } = await agent.deliver(request('x.example:submission', ['u@x.example']));
      return outcomes[0]?.relay?.split('[', 1)[0];
    };
    assert.deepEqual(
      [await relayAt(0.05), await relayAt(0.5), await relayAt(0.99)],
      ['light.example', 'heavy.example', 'heavy.example'],
    );
  });

  it('is not looked for in brackets, nor for another service', async () => {
    await using sink = await startSink();
    const resolver = zone({
      'x.example MX': [mx('x.example', 1, 'mx.example')],
      'mx.example A': [a('mx.example', '127.0.0.1')],
      'x.example A': [a('x.example', '127.0.0.1')],
    });
    await using agent = startAgent([...settings, `known_tcp_ports = submission=${sink.port}`], { resolver });
    const relayOf = async (nexthop: string): Promise<string | undefined> =>
      (await agent.deliver(request(nexthop, ['u@x.example']))).outcomes[0]?.relay;
    assert.equal(await relayOf('[x.example]:submission'), `x.example[127.0.0.1]:${sink.port}`);
    assert.equal(await relayOf(`x.example:${sink.port}`), `mx.example[127.0.0.1]:${sink.port}`);
  });

  it('may be said not to be offered', async () => {
    const resolver = zone({ [`${name} SRV`]: [srv(0, 0, 0, '')] });
    await using agent = startAgent(settings, { resolver });
    const { outcomes } = await agent.deliver(request('x.example:submission', ['u@x.example']));
    assert.deepEqual([outcomes[0]?.kind, outcomes[0]?.status.code], ['bounced', '5.1.0']);
  });

  it('falls back to MX records only where main.cf says so', async () => {
    await using sink = await startSink();
    const others = {
      'x.example MX': [mx('x.example', 1, 'mx.example')],
      'mx.example A': [a('mx.example', '127.0.0.1')],
    };
    const kindWith = async (trouble: 'noName' | 'tryAgain', ...more: readonly string[]): Promise<string> => {
      const resolver = zone({ [`${name} SRV`]: trouble, ...others });
      const main = [...settings, `known_tcp_ports = submission=${sink.port}`, ...more];
      await using agent = startAgent(main, { resolver });
      const { outcomes } = await agent.deliver(request('x.example:submission', ['u@x.example']));
      return `${outcomes[0]?.kind} ${outcomes[0]?.status.code}`;
    };
    assert.equal(await kindWith('noName'), 'bounced 5.4.4');
    assert.equal(await kindWith('tryAgain'), 'deferred 4.4.3');
    assert.equal(await kindWith('noName', 'ignore_srv_lookup_error = yes'), 'bounced 5.4.4');
    assert.equal(await kindWith('tryAgain', 'ignore_srv_lookup_error = yes'), 'sent 2.0.0');
    assert.equal(await kindWith('noName', 'allow_srv_lookup_fallback = yes'), 'sent 2.0.0');
    assert.equal(await kindWith('tryAgain', 'allow_srv_lookup_fallback = yes'), 'sent 2.0.0');
  });
});
