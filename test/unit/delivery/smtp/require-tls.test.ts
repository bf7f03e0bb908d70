import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { envelope, request } from '../request.ts';
import { a, mx, startAgent, startSink, zone } from './sink.ts';

const secret = { envelope: { ...envelope, requireTls: true } };
const withTls = { ehlo: '250-s\r\n250 STARTTLS', starttls: '220 go' };
const policy = (value: string): readonly string[] => [
  'smtp_tls_security_level = may',
  `smtp_requiretls_policy = ${value}`,
];

describe('mail with REQUIRETLS', () => {
  it('does not leave in plaintext where the policy asks for TLS, and is returned', async () => {
    for (const value of ['enforce', 'opportunistic+starttls', 'inline:{{other=disable}}']) {
      await using sink = await startSink();
      await using agent = startAgent(policy(value));
      const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
      const [outcome] = outcomes;
      assert.equal(outcome?.kind, 'bounced');
      assert.equal(outcome?.status.code, '5.7.30');
      assert.equal(
        outcome?.status.reason,
        'REQUIRETLS Failure: sender requested REQUIRETLS, but TLS service was not offered by host 127.0.0.1[127.0.0.1]',
      );
      await sink.ended();
      assert.deepEqual(sink.seen, ['[connect]', 'EHLO mail.example.com', 'QUIT']);
    }
  });

  it('goes as it is to local domains and addresses by default', async () => {
    await using sink = await startSink();
    await using agent = startAgent();
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
    assert.equal(outcomes[0]?.kind, 'sent');
    assert.ok(!sink.seen.some((line) => line.includes('REQUIRETLS')));
  });

  it('finds parents of a domain as .parent', async () => {
    await using sink = await startSink();
    const resolver = zone({ 'a.b.example A': [a('a.b.example', '127.0.0.1')] });
    await using agent = startAgent(policy('inline:{{.example=opportunistic}}, enforce'), { resolver });
    const { outcomes } = await agent.deliver(request(`[a.b.example]:${sink.port}`, ['u@x.example'], secret));
    assert.equal(outcomes[0]?.kind, 'sent');
  });

  it('goes on with REQUIRETLS inside TLS where the server announces it', async () => {
    await using sink = await startSink({ ...withTls, secured: '250-s\r\n250 REQUIRETLS' });
    await using agent = startAgent(policy('opportunistic+starttls'));
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
    assert.equal(outcomes[0]?.kind, 'sent');
    assert.ok(sink.seen.includes('MAIL FROM:<from@example.org> REQUIRETLS'), sink.seen.join('\n'));
  });

  it('does not believe REQUIRETLS that is announced in plaintext', async () => {
    await using sink = await startSink({ ehlo: '250-s\r\n250 REQUIRETLS' });
    await using agent = startAgent(policy('opportunistic'));
    await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
    assert.ok(sink.seen.includes('MAIL FROM:<from@example.org>'));
  });

  it('notes a server that does not promise it, where the policy lets that pass', async () => {
    await using sink = await startSink({ ...withTls, secured: '250 s' });
    await using agent = startAgent(policy('opportunistic'));
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
    assert.equal(outcomes[0]?.kind, 'sent');
    const note =
      'QID: REQUIRETLS Debug: sender requested REQUIRETLS, but REQUIRETLS support was not offered by host 127.0.0.1[127.0.0.1]';
    assert.ok(agent.log.includes(note), agent.log.join('\n'));
  });

  it('is returned where enforced and no certificate can be matched', async () => {
    await using sink = await startSink({ ...withTls, secured: '250 REQUIRETLS' });
    await using agent = startAgent(policy('enforce'));
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
    assert.deepEqual([outcomes[0]?.kind, outcomes[0]?.status.code], ['bounced', '5.7.10']);
    assert.ok(!sink.seen.some((line) => line.startsWith('MAIL')));
  });

  it('waits instead of falling back to plaintext when the handshake fails', async () => {
    // a success, but no TLS comes
    await using sink = await startSink({ ...withTls, starttls: '221 go' });
    await using agent = startAgent([...policy('opportunistic+starttls'), 'smtp_starttls_timeout = 1']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
    assert.deepEqual([outcomes[0]?.kind, outcomes[0]?.status.code], ['deferred', '4.7.5']);
    assert.ok(!sink.seen.some((line) => line.startsWith('MAIL')));
  });

  it('tries the next server before it is returned', async () => {
    await using plain = await startSink();
    await using secure = await startSink(
      { ...withTls, secured: '250-s\r\n250 REQUIRETLS' },
      { host: '127.0.0.2', port: plain.port },
    );
    const resolver = zone({
      'x.example MX': [mx('x.example', 10, 'one.example'), mx('x.example', 20, 'two.example')],
      'one.example A': [a('one.example', '127.0.0.1')],
      'two.example A': [a('two.example', '127.0.0.2')],
    });
    await using agent = startAgent(policy('opportunistic+starttls'), { resolver });
    const { outcomes } = await agent.deliver(request(`x.example:${plain.port}`, ['u@x.example'], secret));
    assert.equal(outcomes[0]?.kind, 'sent', agent.log.join('\n'));
    assert.ok(!plain.seen.some((line) => line.startsWith('MAIL')));
    assert.ok(secure.seen.includes('MAIL FROM:<from@example.org> REQUIRETLS'));
  });

  it('is mail like any other with requiretls_enable off', async () => {
    await using sink = await startSink();
    await using agent = startAgent([...policy('enforce'), 'requiretls_enable = no']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
    assert.equal(outcomes[0]?.kind, 'sent');
  });

  it('waits when the policy makes no sense', async () => {
    await using sink = await startSink();
    for (const value of ['fail:policy', 'sometimes', 'inline:{{127.0.0.1=static:enforce}}']) {
      await using agent = startAgent(policy(value));
      const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], secret));
      assert.deepEqual([outcomes[0]?.kind, outcomes[0]?.status.code], ['deferred', '4.7.5'], value);
    }
    assert.deepEqual(sink.seen, []);
  });
});

describe('mail that says TLS-Required: no', () => {
  const open = { envelope: { ...envelope, tlsNotRequired: true } };

  it('needs no TLS, whatever level and policy say', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_tls_security_level = encrypt', 'smtp_tls_policy_maps = static:encrypt']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], open));
    assert.equal(outcomes[0]?.kind, 'sent');
  });

  it('is not asked with tls_required_enable off, nor when REQUIRETLS came too', async () => {
    await using sink = await startSink();
    const destination = `[127.0.0.1]:${sink.port}`;
    await using deaf = startAgent(['smtp_tls_security_level = encrypt', 'tls_required_enable = no']);
    const without = await deaf.deliver(request(destination, ['u@x.example'], open));
    assert.equal(without.outcomes[0]?.status.code, '4.7.4');
    await using agent = startAgent(policy('enforce'));
    const both = { envelope: { ...envelope, tlsNotRequired: true, requireTls: true } };
    assert.equal((await agent.deliver(request(destination, ['u@x.example'], both))).outcomes[0]?.kind, 'bounced');
  });
});
