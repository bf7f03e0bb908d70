import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { request } from '../request.ts';
import { startAgent, startSink } from './sink.ts';

describe('logins without a table of passwords', () => {
  it('hold up all mail, as nothing goes without the login that is asked for', async () => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_sasl_auth_enable = yes']);
    const { outcomes } = await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example']));
    assert.deepEqual(
      outcomes.map(({ kind, status }) => `${kind} ${status.code}`),
      ['deferred 4.3.0'],
    );
    assert.match(
      agent.log.join('\n'),
      /fatal: specify a password table via the `smtp_sasl_password_maps' configuration parameter/,
    );
    assert.deepEqual(sink.seen, []);
  });
});
