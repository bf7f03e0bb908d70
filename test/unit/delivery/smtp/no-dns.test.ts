import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostLookup } from '#dns';
import { request } from '../request.ts';
import { startAgent, startSink } from './sink.ts';

describe('the SMTP client without DNS', () => {
  const hosts: HostLookup = {
    addresses: (name) =>
      Promise.resolve(
        name === 'mx.example'
          ? { kind: 'ok', addresses: ['127.0.0.1'] }
          : name === 'slow.example'
            ? { kind: 'tryAgain', reason: 'Temporary failure in name resolution' }
            : { kind: 'notFound', reason: 'Name or service not known' },
      ),
    name: () => Promise.resolve({ kind: 'notFound', reason: 'Name or service not known' }),
  };
  for (const line of ['disable_dns_lookups = yes', 'smtp_dns_support_level = disabled']) {
    it(`looks hosts up as the system does (${line})`, async () => {
      await using sink = await startSink();
      await using agent = startAgent([line], { hostLookup: hosts });
      const { outcomes } = await agent.deliver(request(`mx.example:${sink.port}`, ['u@x.example']));
      assert.equal(outcomes[0]?.kind, 'sent');
      const { outcomes: others } = await agent.deliver(request('other.example', ['u@x.example']));
      assert.equal(others[0]?.status.reason, 'unable to look up host other.example: Name or service not known');
      assert.equal(others[0]?.status.code, '5.4.4');
      const { outcomes: slow } = await agent.deliver(request('slow.example', ['u@x.example']));
      assert.equal(slow[0]?.status.reason, 'unable to look up host slow.example: Temporary failure in name resolution');
      assert.equal(slow[0]?.status.code, '4.4.4');
    });
  }
});
