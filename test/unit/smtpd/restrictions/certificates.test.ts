import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PeerCertificate, TlsFacts } from '#message';
import { readCertificateSearch } from '../../../../src/smtpd/restrictions/certificates.ts';
import { withBench } from './bench.ts';

const peer: PeerCertificate = {
  commonName: 'client (one)',
  issuerName: 'Authority',
  unprintable: [],
  subject: '/CN=client (one)',
  issuer: '/CN=Authority',
  fingerprint: 'AA:01',
  keyFingerprint: 'BB:02',
  problem: undefined,
};

const over = (certificate: PeerCertificate | undefined): { readonly tls: TlsFacts } => ({
  tls: { protocol: 'TLSv1.3', cipher: 'X', keyBits: 256, serverName: '', peer: certificate },
});
const untrusted = over({ ...peer, problem: 'self-signed certificate' });
const asking = 'smtpd_tls_ask_ccert = yes\nsmtpd_relay_restrictions = permit_mynetworks';

describe('permit_tls_clientcerts', () => {
  const rule = 'smtpd_recipient_restrictions = permit_tls_clientcerts, reject';

  it('knows a listed certificate by itself or by its key, whoever vouches for it', async () => {
    for (const key of ['AA:01', 'BB:02']) {
      await withBench(`${asking}\nrelay_clientcerts = inline:{${key}=x}\n${rule}`, async (bench) => {
        assert.equal(await bench.ask('rcpt', untrusted), 'ok');
        assert.match(await bench.ask('rcpt', over({ ...peer, fingerprint: 'C', keyFingerprint: 'D' })), /^554 /);
        assert.match(await bench.ask('rcpt', over(undefined)), /^554 /);
        assert.match(await bench.ask('rcpt'), /^554 /);
        assert.deepEqual(
          bench.log.filter((line) => line.startsWith('warning')),
          [],
        );
      });
    }
  });

  it('puts the client off when the list fails', () =>
    withBench(`${asking}\nrelay_clientcerts = fail:x\n${rule}`, async (bench) => {
      assert.match(await bench.ask('rcpt', untrusted), /^451 4\.3\.0 <b@example\.com>: Temporary lookup failure$/);
      assert.ok(
        bench.log.includes("warning: relay_clientcerts: lookup error for fingerprint 'AA:01', pkey fingerprint BB:02"),
      );
    }));

  it('tells of certificates that nobody is asked for', () =>
    withBench(rule, async (bench) => {
      await bench.ask('rcpt', over(undefined));
      assert.ok(bench.log.includes('warning: permit_tls_clientcerts is requested, but "smtpd_tls_ask_ccert = no"'));
    }));
});

describe('permit_tls_all_clientcerts', () => {
  it('lets in whoever has a certificate that is believed', () =>
    withBench(`${asking}\nsmtpd_recipient_restrictions = permit_tls_all_clientcerts, reject`, async (bench) => {
      assert.equal(await bench.ask('rcpt', over(peer)), 'ok');
      assert.match(await bench.ask('rcpt', untrusted), /^554 /);
    }));
});

describe('check_ccert_access', () => {
  const rule = (argument: string): string => `${asking}\nsmtpd_recipient_restrictions = check_ccert_access ${argument}`;

  it('speaks of the client by the name in its certificate', () =>
    withBench(rule('inline:{{AA:01=REJECT go}}'), async (bench) => {
      assert.equal(await bench.ask('rcpt', untrusted), '554 5.7.1 <client (one)>: Client certificate rejected: go');
      assert.equal(await bench.ask('rcpt'), 'ok');
    }));

  it('asks for the certificate first, then for its key, or as it is told', async () => {
    const table = 'inline:{{AA:01=REJECT cert} {BB:02=REJECT key}}';
    for (const [argument, found] of [
      [table, /cert$/],
      [`{ ${table}, { search_order = pubkey_fingerprint, cert_fingerprint } }`, /key$/],
      [`{ ${table} search_order=pubkey_fingerprint }`, /key$/],
    ] as const) {
      await withBench(rule(argument), async (bench) => assert.match(await bench.ask('rcpt', untrusted), found));
    }
  });

  it('refuses for a table that is described wrongly, and has said why', () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['{ }', /^malformed map specification/],
      ['{ hash:x, search_order = cert_fingerprint }', /'missing '=' after attribute name'$/],
      ['{ hash:x, { order = cert_fingerprint } }', /^unknown map attribute in .*: 'order'$/],
      ['{ hash:x, { search_order = name } }', /^unknown search type 'name' in /],
    ];
    for (const [argument, problem] of wrong) {
      const said = readCertificateSearch(argument);
      assert.match(typeof said === 'string' ? said : '', problem);
    }
    return withBench(rule('{ hash:x, { search_order = name } }'), async (bench) => {
      assert.match(await bench.ask('rcpt', untrusted), /^451 4\.3\.5 Server configuration error$/);
      assert.ok(
        bench.log.includes("warning: See earlier parsing error messages for '{ hash:x, { search_order = name } }"),
      );
    });
  });
});
