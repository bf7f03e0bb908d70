import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import type { Outcome } from '#message';
import type { KeyFiles } from '#tls';
import { envelope, request } from '../request.ts';
import { a, type Script, type SinkOptions, startAgent, startSink, zone } from './sink.ts';

const path = (name: string): string => fileURLToPath(new URL(`./certificates/test-only-${name}.pem`, import.meta.url));
const pem = (name: string): Buffer => readFileSync(path(name));

const authority = path('authority');
const keyFiles: KeyFiles = {
  contents: new Map<string, Buffer | string>([
    [authority, readFileSync(authority)],
    [path('mx'), pem('mx')],
    ['/absent.pem', 'No such file or directory'],
    ['/broken.pem', Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')],
  ]),
  directories: new Map(),
};
const resolver = zone({
  'mx.example.com A': [a('mx.example.com', '127.0.0.1')],
  'x.mx.example.com A': [a('x.mx.example.com', '127.0.0.1')],
});
const trusting = [`smtp_tls_CAfile = ${authority}`, 'smtp_tls_loglevel = 1', 'smtp_tls_fingerprint_digest = sha256'];
const offered = { ehlo: '250-s\r\n250 STARTTLS', starttls: '220 go', secured: '250 s' };

interface Delivered {
  /** `sent 2.0.0 TEXT` */
  readonly outcome: string;
  /** Without the line of the delivery. */
  readonly log: readonly string[];
  readonly seen: readonly string[];
}

const worded = ([outcome]: readonly Outcome[]): string =>
  outcome === undefined ? '' : `${outcome.kind} ${outcome.status.code} ${outcome.status.reason}`;

/** One message to a server that shows the certificate. */
async function deliver(
  certificate: string,
  lines: readonly string[],
  { host = 'mx.example.com', script = offered, where = {}, activeAt = 0, arrivedAt = 0 }: DeliverOptions = {},
): Promise<Delivered> {
  await using sink = await startSink(script, { chain: pem(certificate), ...where });
  await using agent = startAgent([...trusting, ...lines], { resolver, keyFiles });
  const { outcomes } = await agent.deliver(
    request(`[${host}]:${sink.port}`, ['u@x.example'], { activeAt, envelope: { ...envelope, arrivedAt } }),
  );
  if (sink.seen.length > 0) await sink.ended();
  const log = agent.log.map((line) => line.replaceAll(String(sink.port), 'PORT'));
  return { outcome: worded(outcomes), log: log.filter((line) => !line.startsWith('QID: to=')), seen: sink.seen };
}

interface DeliverOptions {
  readonly host?: string;
  readonly script?: Script;
  readonly where?: SinkOptions;
  readonly activeAt?: number;
  readonly arrivedAt?: number;
}

const level = (text: string): readonly string[] => [`smtp_tls_security_level = ${text}`];
const policy = (text: string, host = 'mx.example.com'): readonly string[] => [
  `smtp_tls_policy_maps = regexp:{{/^\\[${host}\\]/ ${text}}}`,
];

const established = (trust: string): string =>
  `${trust} TLS connection established to mx.example.com[127.0.0.1]:PORT: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits) key-exchange X25519 server-signature ECDSA (prime256v1) server-digest SHA256`;

const notVerified = 'deferred 4.7.5 Server certificate not verified';

describe('TLS to a server', () => {
  it('is known by name and authority where the level asks for it', async () => {
    for (const text of ['verify', 'secure']) {
      const { outcome, log, seen } = await deliver('mx', level(text));
      assert.equal(outcome.split(' ')[0], 'sent');
      assert.deepEqual(log, [established('Verified')]);
      assert.ok(seen.includes('MAIL FROM:<from@example.org>'));
    }
  });

  it('is only as good as the authority says where nobody asks', async () => {
    for (const text of ['may', 'encrypt']) {
      assert.deepEqual((await deliver('mx', level(text))).log, [established('Trusted')]);
      assert.deepEqual((await deliver('wildcard', level(text))).log, [established('Trusted')]);
      assert.deepEqual((await deliver('expired', level(text))).log, [established('Untrusted')]);
      assert.deepEqual((await deliver('mx', [...level(text), 'smtp_tls_CAfile =']))?.log, [established('Untrusted')]);
    }
  });

  it('carries no mail to a server that is not the one', async () => {
    const where = 'verification failed for mx.example.com[127.0.0.1]:PORT';
    for (const [certificate, lines, reason] of [
      ['expired', level('secure'), `server certificate ${where}: certificate has expired`],
      ['mx', [...level('secure'), 'smtp_tls_CAfile ='], `certificate ${where}: untrusted issuer /CN=Test-only CA`],
      ['mx', policy('secure match=other.example.com'), `server certificate ${where}: num=62:hostname mismatch`],
      ['mx', policy('fingerprint match=00:11'), `server certificate ${where}: num=65:no matching DANE TLSA records`],
    ] as const) {
      const { outcome, log, seen } = await deliver(certificate, lines);
      assert.equal(outcome, notVerified);
      assert.deepEqual(log, [reason, established('Untrusted')]);
      assert.equal(seen.at(-1), 'QUIT');
      assert.ok(!seen.some((line) => line.startsWith('MAIL')));
    }
  });

  it('says why a server is not the one at every log level', async () => {
    const { log } = await deliver('expired', [...level('secure'), 'smtp_tls_loglevel = 0']);
    assert.equal(log.length, 1);
    assert.match(log[0] ?? '', /certificate has expired$/);
  });

  it('matches names as the policy lists them', async () => {
    const matches = [
      'other.example:mx.example.com',
      'hostname',
      'NEXTHOP',
      'nexthop:dot-nexthop',
      '.example.com',
      '.com',
    ];
    for (const match of matches) assert.match((await deliver('mx', policy(`secure match=${match}`))).outcome, /^sent/);
    for (const match of ['example.com', '*.example.com', 'x|mx.example.com'])
      assert.equal((await deliver('mx', policy(`verify match=${match}`))).outcome, notVerified);
    assert.match((await deliver('wildcard', policy('secure'))).outcome, /^sent/);
    const host = 'x.mx.example.com';
    assert.equal((await deliver('wildcard', policy('secure', host), { host })).outcome, notVerified);
    assert.match((await deliver('mx', policy('secure match=.example.com', host), { host })).outcome, /^sent/);
  });

  it('leads to the anchors of a policy instead of the authorities', async () => {
    const [where, failed] = ['mx.example.com[127.0.0.1]:PORT', 'certificate verification failed for'];
    const anchored = (certificate: string, file: string) =>
      deliver(certificate, [...policy(`secure match=hostname tafile=${path(file)}`), 'smtp_tls_CAfile =']);
    const good = await anchored('mx', 'authority');
    assert.deepEqual(good.log, [established('Verified')]);
    // the server itself may be an anchor
    assert.deepEqual((await anchored('mx', 'mx')).log, [established('Verified')]);
    for (const [certificate, file, reason] of [
      ['mx', 'wildcard', 'num=65:no matching DANE TLSA records'],
      ['expired', 'authority', 'certificate has expired'],
      ['address', 'authority', 'num=62:hostname mismatch'],
    ] as const) {
      const { outcome, log } = await anchored(certificate, file);
      assert.deepEqual([outcome, log[0]], [notVerified, `server ${failed} ${where}: ${reason}`]);
    }
    const everywhere = [...level('verify'), `smtp_tls_trust_anchor_file = ${path('authority')}`, 'smtp_tls_CAfile ='];
    assert.deepEqual((await deliver('mx', everywhere)).log, [established('Verified')]);
    const absent = await deliver('mx', policy('verify tafile=/nonexist'));
    assert.equal(absent.outcome, 'deferred 4.7.5 client TLS configuration problem');
    assert.equal(absent.log[0], 'warning: error opening trust anchor file: /nonexist: No such file or directory');
  });

  it('is known by the fingerprint of the certificate or its key', async () => {
    const certificate = new X509Certificate(pem('mx'));
    const { createHash } = await import('node:crypto');
    const key = createHash('sha256').update(certificate.publicKey.export({ type: 'spki', format: 'der' }));
    const keyPrint = key.digest('hex').replaceAll(/..(?!$)/g, '$&:');
    const print256 = certificate.fingerprint256;
    for (const print of [print256, print256.toLowerCase(), print256.replaceAll(':', ''), keyPrint]) {
      const { outcome, log } = await deliver('mx', policy(`fingerprint match=AA:BB|${print}`));
      assert.match(outcome, /^sent/);
      assert.deepEqual(log, [established('Verified')]);
    }
    const lines = [...level('fingerprint'), `smtp_tls_fingerprint_cert_match = AA:BB, ${certificate.fingerprint256}`];
    assert.match((await deliver('mx', lines)).outcome, /^sent/);
  });

  it('has addresses matched with addresses only', async () => {
    const ip = { host: '127.0.0.1' };
    for (const [certificate, expected] of [
      ['address', /^sent/],
      ['named-as-address', /^deferred 4\.7\.5 Server certificate not verified$/],
    ] as const)
      assert.match((await deliver(certificate, policy('verify', '127.0.0.1'), ip)).outcome, expected);
    const { log } = await deliver('mx', policy('secure match=hostname:127.0.0.1'));
    assert.match(log[0] ?? '', /num=64:IP address mismatch$/);
    assert.equal((await deliver('address', policy('secure', '127.0.0.1'), ip)).outcome, notVerified);
  });

  it('is settled for each level alone: connections that are kept serve their own only', async () => {
    await using sink = await startSink(offered, { chain: pem('mx') });
    const maps = `smtp_tls_policy_maps = inline:{{one.example=none}, {two.example=may}}`;
    const zones = zone({
      'one.example A': [a('one.example', '127.0.0.1')],
      'two.example A': [a('two.example', '127.0.0.1')],
    });
    await using agent = startAgent([...trusting, maps, `smtp_tcp_port = ${sink.port}`], { resolver: zones, keyFiles });
    for (const site of ['one.example', 'one.example', 'two.example'])
      await agent.deliver(request(site, ['u@x.example'], { reuseConnection: true }));
    assert.equal(sink.seen.filter((line) => line === '[connect]').length, 2);
    assert.equal(sink.seen.filter((line) => line === 'STARTTLS').length, 1);
  });

  it('says no name that is none', async () => {
    const { outcome, log } = await deliver('mx', [...level('may'), 'smtp_tls_servername = -bad-..x']);
    assert.equal(outcome, 'deferred 4.7.5 client TLS configuration problem');
    assert.equal(log[0], 'warning: "smtp_tls_servername = -bad-..x" specifies an invalid hostname');
  });

  it('shows a certificate of its own when it is asked for', async () => {
    const own = `smtp_tls_cert_file = ${path('mx')}`;
    const where = { tls: { requestCert: true, rejectUnauthorized: true, ca: pem('authority') } };
    assert.match((await deliver('mx', [...level('encrypt'), own], { where })).outcome, /^sent/);
    assert.match((await deliver('mx', level('encrypt'), { where })).outcome, /^deferred/);
  });

  it('says a name only where the settings say so', async () => {
    const names: (string | undefined)[] = [];
    const where: SinkOptions = {
      tls: {
        SNICallback: (name, done) => {
          names.push(name);
          done(null);
        },
      },
    };
    await deliver('mx', level('secure'), { where });
    assert.deepEqual(names, []);
    await deliver('mx', [...level('secure'), 'smtp_tls_servername = hostname'], { where });
    await deliver('mx', policy('secure servername=sni.example'), { where });
    assert.deepEqual(names, ['mx.example.com', 'sni.example']);
  });

  it('begins with the connection in wrapper mode, and needs a level that demands it', async () => {
    const script = { ehlo: '250 s', secured: '250 s' };
    const where = { wraps: true };
    const { outcome, log, seen } = await deliver('mx', [...level('secure'), 'smtp_tls_wrappermode = yes'], {
      script,
      where,
    });
    assert.match(outcome, /^sent/);
    assert.deepEqual(log, [established('Verified')]);
    assert.deepEqual(seen.slice(0, 3), ['[connect]', 'EHLO mail.example.com', 'MAIL FROM:<from@example.org>']);
    const lax = await deliver('mx', [...level('may'), 'smtp_tls_wrappermode = yes'], { script, where });
    assert.equal(lax.outcome, 'deferred 4.3.0 server unavailable or unable to receive mail');
    assert.deepEqual(lax.log, [
      'warning: smtp_tls_wrappermode requires "smtp_tls_security_level = encrypt" (or stronger)',
    ]);
  });

  it('uses the versions and ciphers of the level and of the policy', async () => {
    const tls12 = /TLSv1\.2 with cipher ECDHE-ECDSA-AES256-GCM-SHA384 \(256\/256 bits\)$/;
    const mandatory = await deliver('mx', [...level('encrypt'), 'smtp_tls_mandatory_protocols = <=TLSv1.2']);
    assert.match(mandatory.log[0] ?? '', tls12);
    assert.match((await deliver('mx', policy('may protocols=TLSv1.2'))).log[0] ?? '', tls12);
    const other = await deliver('mx', policy('encrypt protocols=TLSv1.2 exclude=AESGCM'));
    assert.doesNotMatch(other.log[0] ?? '', /GCM/);
    for (const [attribute, complaint] of [
      ['ciphers=bogus', 'invalid cipher grade: "bogus"'],
      ['protocols=bogus', 'Invalid TLS protocol list "bogus": aborting TLS session'],
    ] as const) {
      const { outcome, log } = await deliver('mx', policy(`may ${attribute}`));
      assert.equal(outcome, 'deferred 4.7.5 Cannot start TLS: handshake failure');
      assert.deepEqual(log, [`warning: mx.example.com[127.0.0.1]:PORT: ${complaint}`]);
    }
  });

  it('is done without, where that is allowed, when our own files are no good', async () => {
    for (const [line, complaint] of [
      [
        'smtp_tls_CAfile = /absent.pem',
        'cannot load Certification Authority data, CAfile="/absent.pem": disabling TLS support',
      ],
      ['smtp_tls_cert_file = /absent.pem', 'warning: error opening chain file: /absent.pem: No such file or directory'],
    ] as const) {
      const lax = await deliver('mx', [...level('may'), line]);
      assert.match(lax.outcome, /^sent/);
      assert.deepEqual(lax.log, [complaint]);
      assert.ok(!lax.seen.includes('STARTTLS'));
      const strict = await deliver('mx', [...level('encrypt'), line]);
      assert.equal(strict.outcome, 'deferred 4.7.5 TLS is required, but our TLS engine is unavailable');
    }
  });

  it('is given up for plaintext only by mail that has waited before', async () => {
    const script = { ehlo: '250-s\r\n250 STARTTLS', starttls: 'close' };
    const broken = { ehlo: '250-s\r\n250 STARTTLS', starttls: '220 go' };
    const where = { tls: { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' } } as const;
    const lines = [...level('may'), 'smtp_tls_protocols = <=TLSv1.2'];
    const young = await deliver('mx', lines, { script: broken, where });
    assert.equal(young.outcome, 'deferred 4.7.5 Cannot start TLS: handshake failure');
    const old = await deliver('mx', lines, { script: broken, where, activeAt: envelope.arrivedAt + 300_000 });
    assert.match(old.outcome, /^sent/);
    assert.equal(old.log.at(-1), 'QID: Cannot start TLS: handshake failure');
    const early = await deliver('mx', lines, { script: broken, where, arrivedAt: 900, activeAt: 300_100 });
    assert.match(early.outcome, /^sent/);
    const lost = await deliver('mx', level('may'), { script, activeAt: envelope.arrivedAt + 300_000 });
    assert.match(lost.outcome, /^deferred 4\.4\.2 lost connection with .* while receiving the STARTTLS response$/);
  });

  it('is done without by mail that has waited before when the session inside it breaks off', async () => {
    const activeAt = envelope.arrivedAt + 300_000;
    /** Says nothing but `how` the first time. */
    const once = (how: string, otherwise: string) => {
      let isFirst = true;
      return (): string => {
        const said = isFirst ? how : otherwise;
        isFirst = false;
        return said;
      };
    };
    for (const [stage, otherwise, doing] of [
      ['secured', '', 'performing the EHLO handshake'],
      ['mail', '250 2.1.0 Ok', 'sending MAIL FROM'],
      ['dot', '250 2.0.0 Ok', 'sending end of data -- message may be sent more than once'],
    ] as const) {
      const script = () => ({ ...offered, [stage]: once('close', otherwise) });
      const old = await deliver('mx', level('may'), { script: script(), activeAt });
      assert.match(old.outcome, /^sent/, stage);
      assert.equal(old.log.at(-1), `QID: lost connection with mx.example.com[127.0.0.1] while ${doing}`);
      assert.equal(old.seen.filter((line) => line === 'STARTTLS').length, 1);
      const young = await deliver('mx', level('may'), { script: script() });
      assert.match(young.outcome, /^deferred 4\.4\.2 lost connection/, stage);
      const strict = await deliver('mx', level('encrypt'), { script: script(), activeAt });
      assert.match(strict.outcome, /^deferred 4\.4\.2 lost connection/, stage);
    }
  });

  it('is done without in the same of the sessions that are allowed', async () => {
    let mails = 0;
    const hangsUp = (): string => (mails++ === 0 ? 'close' : '450 4.2.0 not now');
    await using first = await startSink({ ...offered, mail: hangsUp }, { host: '127.0.0.2', chain: pem('mx') });
    await using second = await startSink({}, { host: '127.0.0.3', port: first.port });
    const two = zone({
      'two.example.com A': ['127.0.0.2', '127.0.0.3'].map((address) => a('two.example.com', address)),
    });
    const lines = [...level('may'), 'smtp_randomize_addresses = no', 'smtp_mx_session_limit = 2'];
    await using agent = startAgent([...trusting, ...lines], { resolver: two, keyFiles });
    const old = { activeAt: envelope.arrivedAt + 300_000 };
    const { outcomes } = await agent.deliver(request(`[two.example.com]:${first.port}`, ['u@x.example'], old));
    assert.match(worded(outcomes), /^sent/);
    assert.equal(mails, 2);
    assert.equal(second.seen.filter((line) => line.startsWith('MAIL')).length, 1);
  });

  it('ends as the server says that refuses it', async () => {
    for (const [starttls, expected] of [
      [
        '454 4.7.0 no',
        'deferred 4.7.0 TLS is required, but host mx.example.com[127.0.0.1] refused to start TLS: 454 4.7.0 no',
      ],
      [
        '502 5.5.1 no',
        'bounced 5.5.1 TLS is required, but host mx.example.com[127.0.0.1] refused to start TLS: 502 5.5.1 no',
      ],
    ] as const) {
      const { outcome } = await deliver('mx', level('encrypt'), { script: { ...offered, starttls } });
      assert.equal(outcome, expected);
    }
  });

  it('waits with the mail when the policy can not be understood', async () => {
    const where = 'warning: smtp_tls_policy_maps, next-hop destination "[mx.example.com]:PORT"';
    for (const [text, complaint] of [
      ['bogus', `${where}: invalid security level "bogus"`],
      ['encrypt foo=bar', `${where}: invalid attribute name: "foo"`],
      ['encrypt foo', `${where}: malformed attribute/value pair "foo": missing '=' after attribute name`],
      ['encrypt ciphers=', `${where}: attribute "ciphers" has empty value`],
      ['encrypt exclude=A exclude=B', `${where}: attribute "exclude" is specified multiple times`],
      ['fingerprint match=zz', 'warning: malformed fingerprint value: zz'],
      ['encrypt ciphers=high ciphers=high', `${where}: attribute "ciphers" is specified multiple times`],
      ['encrypt match=x', `${where}: attribute "match" invalid at security level "encrypt"`],
      ['may tafile=/x', `${where}: attribute "tafile" invalid at security level "may"`],
      ['secure connection_reuse=maybe', `${where}: attribute "connection_reuse" has bad value: "maybe"`],
      ['encrypt servername=-bad-..x', `${where}: "servername=-bad-..x" specifies an invalid hostname`],
      [
        'fingerprint',
        'warning: nexthop domain [mx.example.com]:PORT: configured at fingerprint security level, but with no fingerprints to match.',
      ],
    ] as const) {
      const { outcome, log, seen } = await deliver('mx', policy(text));
      assert.equal(outcome, 'deferred 4.7.5 client TLS configuration problem');
      assert.equal(log[0], complaint);
      assert.deepEqual(seen, []);
    }
    const { outcome, log } = await deliver('mx', policy('none match=foo'));
    assert.match(outcome, /^sent/);
    assert.deepEqual(log, [`${where}: ignoring attribute "match=foo" with TLS disabled`]);
  });

  it('goes on where the last one with the server ended', async () => {
    const remembers = 'smtp_tls_session_cache_database = btree:$data_directory/smtp_scache';
    const talk = async (
      lines: readonly string[],
      now = () => 0,
      maxVersion: 'TLSv1.2' | 'TLSv1.3' = 'TLSv1.3',
    ): Promise<readonly string[]> => {
      const chain = pem('mx');
      const tls = { secureContext: createSecureContext({ key: chain, cert: chain, maxVersion }) };
      await using sink = await startSink(offered, { chain, tls });
      await using agent = startAgent([...trusting, ...lines], { resolver, keyFiles, clock: { now } });
      for (let count = 0; count < 3; count += 1)
        await agent.deliver(request(`[mx.example.com]:${sink.port}`, ['u@x.example']));
      const established = agent.log.filter((line) => line.includes('connection established'));
      return established.map((line) => `${line.split(' ')[0]}${line.includes('server-digest') ? '' : ' resumed'}`);
    };
    for (const text of ['may', 'encrypt'])
      assert.deepEqual(await talk([...level(text), remembers]), ['Trusted', 'Trusted resumed', 'Trusted resumed']);
    // of older versions not so much is told, but still who it is
    const older = await talk([...level('may'), remembers], undefined, 'TLSv1.2');
    assert.deepEqual(older, ['Trusted resumed', 'Trusted resumed', 'Trusted resumed']);
    // the right one has to show that it is
    assert.deepEqual(await talk([...level('secure'), remembers]), ['Verified', 'Verified', 'Verified']);
    assert.deepEqual(await talk(level('may')), ['Trusted', 'Trusted', 'Trusted']);
    let hours = 0;
    const slow = (): number => (hours += 2) * 3_600_000;
    assert.deepEqual(await talk([...level('may'), remembers], slow), ['Trusted', 'Trusted', 'Trusted']);
  });
});
