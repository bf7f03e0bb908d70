import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ConnectionOptions } from 'node:tls';
import { asClient, asDeepClient, asRsaClient, deepRoot, withTls } from './handshake-bench.ts';

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

describe('a chain of authorities that a client names itself', () => {
  const problemOf = async (depth: number, client: ConnectionOptions): Promise<string | undefined> => {
    const directory = mkdtempSync(join(tmpdir(), 'deep-chain-'));
    let problem: string | undefined = 'none';
    try {
      writeFileSync(join(directory, 'root.pem'), deepRoot);
      const limit = `smtpd_tls_ccert_verifydepth = ${depth}`;
      await withTls(`${asking}\nsmtpd_tls_CAfile = ${directory}/root.pem\n${limit}`, async (bench) => {
        const accepted = await bench.shake(client);
        if (accepted.kind === 'accepted') problem = accepted.facts.peer?.problem;
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
    return problem;
  };

  it('stays too long for a client that goes on with the session', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'deep-chain-'));
    try {
      writeFileSync(join(directory, 'root.pem'), deepRoot);
      const mainCf = `${asking}\nsmtpd_tls_CAfile = ${directory}/root.pem\nsmtpd_tls_ccert_verifydepth = 0`;
      await withTls(mainCf, async (bench) => {
        const client = { ...asDeepClient, maxVersion: 'TLSv1.2' as const };
        await bench.shake(client);
        const { session } = bench;
        const again = await bench.shake({ ...client, ...(session === undefined ? {} : { session }) });
        assert.ok(again.kind === 'accepted' && again.isReused);
        assert.equal(again.facts.peer?.problem, 'certificate chain longer than limit(1)');
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('is as long as Postfix counts it, in each version of TLS', async () => {
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const client = { ...asDeepClient, maxVersion };
      assert.equal(await problemOf(0, client), 'certificate chain longer than limit(1)');
      assert.equal(await problemOf(1, client), undefined);
    }
  });
});
