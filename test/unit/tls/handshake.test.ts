import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates } from 'node:tls';
import { describe, it } from 'node:test';
import { asClient, asRsaClient, chain, withTls } from './handshake-bench.ts';

const own = 'TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)';
const server = 'server-signature ECDSA (prime256v1) server-digest SHA256';
const client = 'client-signature ECDSA (prime256v1) client-digest SHA256';
const established = (trust: string, rest: string, to = ''): string =>
  `${trust} TLS connection established from client[192.0.2.1]${to}: ${rest}`;
const level1 = 'smtpd_tls_loglevel = 1';

describe('a handshake', () => {
  it('is told of with the group of its keys and the signature', () =>
    withTls(level1, async (bench) => {
      await bench.shake();
      await bench.shake({ ecdhCurve: 'secp384r1' });
      await bench.shake({ ecdhCurve: 'ffdhe2048' });
      await bench.shake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' });
      assert.deepEqual(bench.log, [
        established('Anonymous', `${own} key-exchange X25519 ${server}`),
        established('Anonymous', `${own} key-exchange ECDHE (secp384r1) ${server}`),
        established('Anonymous', `${own} key-exchange DHE (2048 bits) ${server}`),
        established('Anonymous', 'TLSv1.2 with cipher ECDHE-ECDSA-AES128-GCM-SHA256 (128/128 bits)'),
      ]);
    }));

  it('is told of as the level of the client has it', () =>
    withTls('smtpd_tls_loglevel = 2\nsmtpd_tls_loglevel_maps = inline:{192.0.2.1=0}', async (bench) => {
      await bench.shake();
      assert.deepEqual(bench.log, ['initializing the server-side TLS engine']);
    }));

  it('fails over versions and ciphers that the settings leave out', () =>
    withTls('smtpd_tls_protocols = >=TLSv1.3', async (bench) => {
      const failed = await bench.shake({ maxVersion: 'TLSv1.2' });
      assert.equal(failed.kind, 'failed');
      assert.match(
        failed.kind === 'failed' ? failed.reason : '',
        /^error:0A000102:SSL routines::unsupported protocol:\.\.\/ssl\/statem\/\w+\.c:\d+:$/,
      );
    }));

  it('fails in its own words over a client that goes, and over one that speaks something else', () =>
    withTls('', async (bench) => {
      const whenThere = (act: (socket: Socket) => void) => (port: number) => {
        const socket = connect(port, '127.0.0.1', () => setImmediate(act, socket));
        return socket;
      };
      const reasons: string[] = [];
      for (const act of [
        (socket: Socket) => socket.resetAndDestroy(),
        (socket: Socket) => socket.end(),
        (socket: Socket) => socket.write('EHLO me\r\n'),
      ]) {
        const failed = await bench.meet(whenThere(act));
        reasons.push(failed.kind === 'failed' ? failed.reason.replace(/(?<=::)(.*?):.*/, '$1') : 'none');
      }
      assert.deepEqual(reasons, [
        'Connection reset by peer',
        'lost connection',
        'error:0A00010B:SSL routines::wrong version number',
      ]);
    }));

  it('has the groups that are listed, whatever the grade', () =>
    withTls(
      'smtpd_tls_eecdh_grade = none\ntls_eecdh_auto_curves = secp384r1\ntls_ffdhe_auto_groups =',
      async (bench) => {
        assert.equal((await bench.shake({ ecdhCurve: 'X25519' })).kind, 'failed');
        assert.equal((await bench.shake({ ecdhCurve: 'secp384r1' })).kind, 'accepted');
      },
    ));

  it('needs no certificate of a server that says it has none', () =>
    withTls('smtpd_tls_chain_files =\nsmtpd_tls_cert_file = none', async (bench) => {
      assert.equal((await bench.shake()).kind, 'failed');
      const accepted = await bench.shake({ maxVersion: 'TLSv1.2', ciphers: 'AECDH-AES256-SHA:@SECLEVEL=0' });
      assert.equal(accepted.kind, 'accepted');
    }));

  it('is impossible with settings that make no sense, which are warned of', async () => {
    const problems: readonly (readonly [string, RegExp])[] = [
      ['smtpd_tls_chain_files =', /^warning: No server certs available\. TLS won't be enabled$/],
      ['smtpd_tls_fingerprint_digest = sha0', /^warning: Digest algorithm "sha0" not found\nwarning: disabling TLS/],
      ['smtpd_tls_CAfile = /nowhere', /^cannot load Certification Authority data, CAfile="\/nowhere": disabling/],
      ['smtpd_tls_CAfile = $directory/main.cf', /^cannot load Certification Authority data, CAfile=".*": disabling/],
      ['smtpd_tls_chain_files = /nowhere', /^warning: error opening chain file: \/nowhere: No such file or directory$/],
      [
        'smtpd_tls_chain_files =\nsmtpd_tls_cert_file = $directory/main.cf',
        /^warning: No PEM data in (\S+)\nwarning: error loading private keys and certificates from: \1: disabling TLS/,
      ],
      [
        'smtpd_tls_chain_files =\nsmtpd_tls_eccert_file = $chain\nsmtpd_tls_eckey_file = /nowhere',
        /^warning: cannot get ECDSA private key from file "\/nowhere": disabling TLS support$/,
      ],
      [
        'smtpd_tls_chain_files =\nsmtpd_tls_cert_file = none\nsmtpd_tls_ask_ccert = yes',
        /^warning: Need a server cert to request client certs\nwarning: No server certs available/,
      ],
    ];
    for (const [setting, warning] of problems) {
      await withTls(setting, async ({ log, tls }) => {
        assert.match(log.join('\n'), warning);
        assert.equal(tls?.acceptor, undefined);
      });
    }
  });
});

describe('settings of little use', () => {
  it('are told of, and TLS is offered', async () => {
    const settings: readonly (readonly [string, RegExp])[] = [
      ['smtpd_tls_CApath = /nowhere', /^$/],
      [
        'smtpd_tls_dh1024_param_file = /nowhere',
        /^warning: error opening DH parameter file "\/nowhere": No such file or directory -- using compiled-in defaults$/,
      ],
      [
        'smtpd_tls_dh1024_param_file = $directory/main.cf',
        /^warning: error decoding DH parameters from file ".*" -- using compiled-in defaults$/,
      ],
      ['smtpd_tls_cert_file = /nowhere', /^warning: Both smtpd_tls_chain_files and one or more of the legacy  smtpd_/],
    ];
    for (const [setting, warning] of settings) {
      await withTls(setting, async (bench) => {
        assert.match(bench.log.join('\n'), warning);
        assert.equal((await bench.shake()).kind, 'accepted');
      });
    }
  });

  it('leave no ciphers, and each handshake ends before it begins', async () => {
    await withTls('smtpd_tls_ciphers = strongest', async ({ tls }) => {
      assert.deepEqual(tls?.cipherProblem, { text: 'invalid cipher grade: "strongest"' });
    });
    await withTls('smtpd_tls_exclude_ciphers = ALL', async ({ tls }) => {
      assert.match(tls?.cipherProblem?.library ?? '', /^error:0A0000B9:SSL routines::no cipher match/);
      assert.equal(tls?.acceptor, undefined);
    });
  });

  it('leave no version of TLS, and each handshake fails', () =>
    withTls('smtpd_tls_protocols = !TLSv1, !TLSv1.1, !TLSv1.2, !TLSv1.3', async (bench) => {
      const failed = await bench.shake();
      assert.match(
        failed.kind === 'failed' ? failed.reason : '',
        /^error:0A0000BF:SSL routines::no protocols available/,
      );
    }));
});

describe('the certificate of a client', () => {
  it('is not asked for unless the settings say so', () =>
    withTls('', async (bench) => {
      const accepted = await bench.shake(asClient);
      assert.equal(accepted.kind === 'accepted' ? accepted.facts.peer : 'none', undefined);
    }));

  it('is believed when an authority vouches for it', () =>
    withTls(`smtpd_tls_ask_ccert = yes\nsmtpd_tls_CAfile = $chain\n${level1}`, async (bench) => {
      const accepted = await bench.shake(asClient);
      const peer = accepted.kind === 'accepted' ? accepted.facts.peer : undefined;
      assert.equal(peer?.commonName, 'mail.example.com');
      assert.equal(peer?.issuerName, 'mail.example.com');
      assert.equal(peer?.problem, undefined);
      assert.match(peer?.fingerprint ?? '', /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/);
      assert.notEqual(peer?.fingerprint, peer?.keyFingerprint);
      assert.deepEqual(bench.log, [established('Trusted', `${own} key-exchange X25519 ${server} ${client}`)]);
    }));

  it('says who it is without being believed, too, in the digest that is asked for', () =>
    withTls('smtpd_tls_ask_ccert = yes\nsmtpd_tls_fingerprint_digest = sha1\nsmtpd_tls_loglevel = 2', async (bench) => {
      const accepted = await bench.shake(asClient);
      const peer = accepted.kind === 'accepted' ? accepted.facts.peer : undefined;
      assert.equal(peer?.problem, 'self-signed certificate');
      assert.match(peer?.fingerprint ?? '', /^(?:[0-9A-F]{2}:){19}[0-9A-F]{2}$/);
      assert.deepEqual(bench.log.slice(bench.log.indexOf('SSL_accept:SSLv3/TLS read finished') + 1), [
        'subject=/CN=mail.example.com',
        'issuer=/CN=mail.example.com',
        `client[192.0.2.1]: subject_CN=mail.example.com, issuer=mail.example.com, fingerprint=${peer?.fingerprint}, pkey_fingerprint=${peer?.keyFingerprint}`,
        established('Untrusted', `${own} key-exchange X25519 ${server} ${client}`),
      ]);
    }));

  it('that is required and not believed is told of', () =>
    withTls(`smtpd_tls_req_ccert = yes\nsmtpd_tls_security_level = encrypt\n${level1}`, async (bench) => {
      await bench.shake(asClient);
      assert.equal(bench.log[0], 'certificate verification failed for client[192.0.2.1]: self-signed certificate');
      assert.equal(bench.tls?.requiresCertificate, true);
    }));

  it('can be required only where TLS is', () =>
    withTls('smtpd_tls_req_ccert = yes', async ({ log, tls }) => {
      assert.deepEqual(log, ["warning: Can't require client certs unless TLS is required"]);
      assert.deepEqual([tls?.requiresCertificate, tls?.asksCertificate], [false, false]);
    }));
});

describe('the name that a client asks for', () => {
  const maps = (entries: string): string => `${level1}\ntls_server_sni_maps = ${entries}`;
  const named = (name: string): string => established('Anonymous', `${own} key-exchange X25519 ${server}`, name);

  it('chooses the certificate, also by a parent', () =>
    withTls(maps('inline:{ { mail.example.org = $chain } { .example.net = $chain } }'), async (bench) => {
      for (const servername of ['MAIL.example.org', 'a.b.example.net', 'example.net']) {
        await bench.shake({ servername });
      }
      assert.deepEqual(bench.log, [
        named(' to MAIL.example.org'),
        named(' to a.b.example.net'),
        'TLS SNI example.net from client[192.0.2.1] not matched, using default chain',
        named(''),
      ]);
    }));

  it('chooses among keys of several kinds what the client can verify', () =>
    withTls(maps('inline:{ { both.example = $rsa $chain } }'), async (bench) => {
      const signed: unknown[] = [];
      for (const sigalgs of ['RSA-PSS+SHA256', 'ECDSA+SHA256']) {
        const accepted = await bench.shake({ servername: 'both.example', sigalgs });
        signed.push(accepted.kind === 'accepted' && accepted.facts.serverSignature?.name);
      }
      assert.deepEqual(signed, ['RSA-PSS', 'ECDSA']);
    }));

  it("is heard, however little of it comes at a time, and garbage is OpenSSL's to judge", () =>
    withTls(maps('inline:{ { mail.example.org = $chain } }'), async (bench) => {
      const drip = (bytes: Buffer) => (port: number) => {
        const socket = connect(port, '127.0.0.1', () => {
          for (const byte of bytes) socket.write(Buffer.from([byte]));
          socket.end();
        });
        return socket.setNoDelay(true);
      };
      const results = [
        await bench.meet(drip(Buffer.from([22, 3, 1, 0, 200, 1]))),
        await bench.meet(drip(Buffer.from('EHLO me\r\n'))),
      ];
      assert.deepEqual(
        results.map((result) => result.kind === 'failed' && result.by),
        ['connection', 'handshake'],
      );
    }));

  it('ends the handshake when the table fails, or has no usable chain', () =>
    withTls(maps('inline:{{bad.example=/nowhere}}, fail:x'), async (bench) => {
      for (const servername of ['bad.example', 'other.example']) {
        assert.equal((await bench.shake({ servername })).kind, 'failed');
      }
      assert.deepEqual(bench.log, [
        'warning: table inline:{{bad.example=/nowhere}}: key bad.example: open /nowhere: No such file or directory',
        'warning: tls_server_sni_maps: bad.example map lookup problem',
        'warning: fail:x lookup error for "other.example"',
        'warning: tls_server_sni_maps: other.example map lookup problem',
      ]);
    }));
});

describe('a session', () => {
  const reused = async (mainCf: string): Promise<boolean | undefined> => {
    let answer: boolean | undefined;
    await withTls(mainCf, async (bench) => {
      const options = { maxVersion: 'TLSv1.2' as const };
      await bench.shake(options);
      const { session } = bench;
      const second = await bench.shake({ ...options, ...(session === undefined ? {} : { session }) });
      answer = second.kind === 'accepted' ? second.isReused : undefined;
    });
    return answer;
  };

  it('goes on by a ticket, by its number, or not at all', async () => {
    assert.equal(await reused(''), true);
    assert.equal(await reused('tls_session_ticket_cipher =\nsmtpd_tls_session_cache_database = btree:cache'), true);
    assert.equal(await reused('tls_session_ticket_cipher ='), false);
    assert.equal(await reused('tls_ssl_options = NO_COMPRESSION, no_ticket'), false);
    assert.equal(await reused('tls_ssl_options = 0x4000'), false);
  });
});

describe('authorities', () => {
  it('of a directory are believed, and not named to clients', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'authorities-'));
    try {
      writeFileSync(join(directory, '0123abcd.0'), readFileSync(chain));
      await withTls(`smtpd_tls_ask_ccert = yes\nsmtpd_tls_CApath = ${directory}`, async (bench) => {
        const accepted = await bench.shake(asClient);
        assert.equal(accepted.kind === 'accepted' ? accepted.facts.peer?.problem : 'none', undefined);
        const stranger = await bench.shake(asRsaClient);
        assert.equal(stranger.kind === 'accepted' ? stranger.facts.peer?.problem : '', 'self-signed certificate');
      });
      // others still believe whom they believed
      assert.ok(getCACertificates('default').length > 1);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
