import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { request } from '../request.ts';
import { startAgent, startSink } from './sink.ts';

const withTls = { ehlo: '250-s\r\n250 STARTTLS', starttls: '220 go' };

describe('the line of a delivery', () => {
  const tlsOf = async (settings: readonly string[], replies = {}): Promise<string | undefined> => {
    await using sink = await startSink(replies);
    await using agent = startAgent(settings);
    await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    const line = agent.log.find((each) => each.includes('to=<')) ?? '';
    return /, tls=([^,]*), dsn=/.exec(line)?.[1];
  };

  it('tells which level of TLS was wanted, and what came of it', async () => {
    const may = ['smtp_tls_security_level = may'];
    const encrypt = ['smtp_tls_security_level = encrypt'];
    assert.equal(await tlsOf(['smtp_tls_security_level = none'], withTls), 'none');
    assert.equal(await tlsOf(may, { ...withTls, secured: '250 s' }), 'may');
    assert.equal(await tlsOf(may), 'may:none');
    assert.equal(await tlsOf(may, { connect: '421 later' }), 'may?');
    assert.equal(await tlsOf(encrypt, { ...withTls, secured: '250 s' }), 'encrypt');
    assert.equal(await tlsOf(encrypt), '!encrypt');
  });

  it('does not where smtp_log_tls_feature_status says no', async () => {
    assert.equal(await tlsOf(['smtp_log_tls_feature_status = no']), undefined);
  });
});
