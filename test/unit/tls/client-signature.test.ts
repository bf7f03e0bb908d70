import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { asClient, asRsaClient, withTls } from './handshake-bench.ts';

const asking = 'smtpd_tls_ask_ccert = yes';

describe('what a client has signed with', () => {
  const signed = async (client: ConnectionOptions): Promise<unknown> => {
    let signature: unknown;
    await withTls(asking, async (bench) => {
      const accepted = await bench.shake(client);
      signature = accepted.kind === 'accepted' ? accepted.facts.clientSignature : accepted;
    });
    return signature;
  };

  it('is read from its own words, in each cipher', async () => {
    for (const ciphers of ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256']) {
      for (const digest of ['SHA256', 'SHA384', 'SHA512']) {
        const client = { ...asRsaClient, ciphers, sigalgs: `RSA-PSS+${digest}:ECDSA+SHA256` };
        assert.deepEqual(await signed(client), { name: 'RSA-PSS', bits: 2048, digest });
      }
    }
  });

  it('is settled by keys on curves', async () => {
    assert.deepEqual(await signed(asClient), { name: 'ECDSA', curve: 'prime256v1', digest: 'SHA256' });
  });

  it('is not told of one that shows no certificate', async () => {
    assert.equal(await signed({}), undefined);
  });
});
