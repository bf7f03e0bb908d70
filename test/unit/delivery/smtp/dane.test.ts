import assert from 'node:assert/strict';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import type { DnsAnswer, DnsRecord, DnsType, Resolver } from '#dns';
import type { Outcome } from '#message';
import { request } from '../request.ts';
import { a, mx, startAgent, startSink } from './sink.ts';

const pem = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`./certificates/test-only-${name}.pem`, import.meta.url)));

type Part = 'whole' | 'key';

function selected(certificate: string, part: Part): Buffer {
  const { raw, publicKey } = new X509Certificate(pem(certificate));
  return part === 'whole' ? raw : publicKey.export({ type: 'spki', format: 'der' });
}

const digests = { all: 0, sha256: 1, sha512: 2 } as const;

/** Data of a record that is of a certificate. */
function tlsa(usage: number, part: Part, matching: keyof typeof digests, certificate: string): Buffer {
  const data = selected(certificate, part);
  const shown = matching === 'all' ? data : createHash(matching).update(data).digest();
  return Buffer.concat([Buffer.from([usage, part === 'whole' ? 0 : 1, digests[matching]]), shown]);
}

/** Of nobody's certificate. */
const stray = (usage: number, selector = 1, matching = 1, bytes = matching === 2 ? 64 : 32): Buffer =>
  Buffer.concat([Buffer.from([usage, selector, matching]), Buffer.alloc(bytes, 7)]);

interface World {
  readonly tlsa?: readonly Buffer[] | Exclude<DnsAnswer['kind'], 'ok'>;
  /** What is not signed. */
  readonly unsigned?: readonly DnsType[];
  /** mx.example.com is an alias of this. */
  readonly alias?: string;
  /** Where the TLSA records are, when not at mx.example.com. */
  readonly at?: string;
}

/** example.com, its server mx.example.com on 127.0.0.1, and what is said of that server's certificate. */
function signedZone({ tlsa: said = [], unsigned = [], alias, at = 'mx.example.com' }: World, port: number) {
  const asked: string[] = [];
  const records: Readonly<Record<string, readonly DnsRecord[]>> = {
    '. NS': [{ type: 'NS', name: '.', ttl: 1, host: 'a.root.example' }],
    'example.com MX': [mx('example.com', 10, 'mx.example.com')],
    'mx.example.com A': [a(alias ?? 'mx.example.com', '127.0.0.1')],
    ...(alias !== undefined && {
      'mx.example.com CNAME': [{ type: 'CNAME', name: 'mx.example.com', ttl: 1, host: alias }],
    }),
    ...(typeof said !== 'string' &&
      said.length > 0 && {
        [`_${port}._tcp.${at} TLSA`]: said.map((data) => ({ type: 'TLSA', name: at, ttl: 1, data }) as const),
      }),
  };
  const resolver: Resolver = {
    lookup(name, type) {
      if (type === 'TLSA') asked.push(name.replace(String(port), 'PORT'));
      const found = records[`${name} ${type}`];
      if (type === 'TLSA' && typeof said === 'string') return Promise.resolve({ kind: said, reason: `${said}!` });
      if (found === undefined) return Promise.resolve({ kind: 'noName', reason: 'none' });
      const canonicalName = found[0]?.name ?? name;
      return Promise.resolve({ kind: 'ok', records: found, secure: !unsigned.includes(type), canonicalName });
    },
  };
  return { resolver, asked };
}

const worded = ([outcome]: readonly Outcome[]): string =>
  outcome === undefined ? '' : `${outcome.kind} ${outcome.status.code} ${outcome.status.reason}`;

/** One message to example.com, whose server shows these certificates. */
async function deliver(world: World, shown: readonly string[] = ['mx'], lines: readonly string[] = []) {
  const askedFor: string[] = [];
  const script = { ehlo: '250-s\r\n250 STARTTLS', starttls: '220 go', secured: '250 s' };
  const tls = {
    SNICallback: (name: string, done: (error: null) => void) => {
      askedFor.push(name);
      done(null);
    },
  };
  await using sink = await startSink(script, { chain: Buffer.concat(shown.map(pem)), tls });
  const { resolver, asked } = signedZone(world, sink.port);
  const dane = ['smtp_dns_support_level = dnssec', 'smtp_tls_security_level = dane', 'smtp_tls_loglevel = 1'];
  await using agent = startAgent([...dane, ...lines], { resolver });
  const { outcomes } = await agent.deliver(request(`example.com:${sink.port}`, ['u@example.com']));
  const log = agent.log
    .map((line) =>
      line
        .replaceAll(String(sink.port), 'PORT')
        .replace(/: TLSv1.*/, '')
        .replace(/^warning: /, ''),
    )
    .filter((line) => !line.startsWith('QID: to='));
  return { outcome: worded(outcomes), log, asked, askedFor, seen: sink.seen };
}

const here = 'mx.example.com[127.0.0.1]:PORT';
const established = (trust: string): string => `${trust} TLS connection established to ${here}`;
const refused = 'deferred 4.7.5 Server certificate not verified';
const isSent = (outcome: string): boolean => outcome.startsWith('sent ');

describe('a server that DANE knows', () => {
  it('is the one that a record of its certificate or key is of', async () => {
    for (const part of ['whole', 'key'] as const)
      for (const matching of ['all', 'sha256', 'sha512'] as const) {
        const { outcome, log, askedFor } = await deliver({ tlsa: [stray(3), tlsa(3, part, matching, 'mx')] });
        // beside a stronger digest of the same kind a weaker one does not count
        assert.ok(isSent(outcome), `${part} ${matching} ${outcome}`);
        assert.deepEqual([log, askedFor], [[established('Verified')], ['mx.example.com']]);
      }
  });

  it('may be of another name and time with a record of its own', async () => {
    const { outcome } = await deliver({ tlsa: [tlsa(3, 'key', 'sha256', 'expired')] }, ['expired']);
    assert.ok(isSent(outcome));
  });

  it('gets no mail when no record is of it', async () => {
    const { outcome, log, seen } = await deliver({ tlsa: [stray(3)] });
    assert.equal(outcome, refused);
    const reason = `server certificate verification failed for ${here}: num=65:no matching DANE TLSA records`;
    assert.deepEqual(log, [reason, established('Untrusted')]);
    assert.ok(!seen.some((line) => line.startsWith('MAIL')));
  });

  it('is judged by the strongest digest', async () => {
    const weak = await deliver({ tlsa: [stray(3, 1, 2), tlsa(3, 'key', 'sha256', 'mx')] });
    assert.equal(weak.outcome, refused);
    const strong = await deliver({ tlsa: [stray(3), tlsa(3, 'key', 'sha512', 'mx')] });
    assert.ok(isSent(strong.outcome));
    const other = await deliver(
      { tlsa: [stray(3, 1, 2), tlsa(3, 'key', 'sha256', 'mx')] },
      ['mx'],
      ['tls_dane_digests = sha256 sha512'],
    );
    assert.ok(isSent(other.outcome));
  });

  it('is vouched for by an authority that it shows, or that a record holds', async () => {
    for (const part of ['whole', 'key'] as const) {
      assert.ok(isSent((await deliver({ tlsa: [tlsa(2, part, 'sha256', 'authority')] }, ['mx', 'authority'])).outcome));
    }
    assert.ok(isSent((await deliver({ tlsa: [tlsa(2, 'whole', 'all', 'authority')] })).outcome));
    assert.equal((await deliver({ tlsa: [tlsa(2, 'whole', 'sha256', 'authority')] })).outcome, refused);
    const stranger = await deliver({ tlsa: [stray(2)] }, ['mx', 'authority']);
    const reason = `CA certificate verification failed for ${here}: num=65:no matching DANE TLSA records`;
    assert.deepEqual([stranger.outcome, stranger.log[0]], [refused, reason]);
    // who it leads to is known after the first handshake only
    const { seen } = await deliver({ tlsa: [tlsa(2, 'key', 'sha512', 'authority')] }, ['mx', 'authority']);
    assert.equal(seen.filter((line) => line === '[connect]').length, 2);
    // a server can't vouch for itself
    assert.equal((await deliver({ tlsa: [tlsa(2, 'whole', 'sha256', 'mx')] }, ['mx', 'authority'])).outcome, refused);
  });

  it('has to have its name and time right when an authority vouches for it', async () => {
    const world = { tlsa: [tlsa(2, 'whole', 'all', 'authority')] };
    const failed = `server certificate verification failed for ${here}`;
    assert.equal((await deliver(world, ['expired'])).log[0], `${failed}: certificate has expired`);
    assert.equal((await deliver(world, ['address'])).log[0], `${failed}: num=62:hostname mismatch`);
  });
});

describe('a chain of authorities', () => {
  it('is as good as the rules of all of them', async () => {
    const chain = ['below-sub', 'sub', 'root-of-one'];
    assert.ok(isSent((await deliver({ tlsa: [tlsa(2, 'key', 'sha256', 'sub')] }, chain)).outcome));
    // the root may vouch for servers, not for other authorities
    const { outcome, log, seen } = await deliver({ tlsa: [tlsa(2, 'key', 'sha256', 'root-of-one')] }, chain);
    assert.equal(outcome, refused);
    assert.match(
      log[0] ?? '',
      /server certificate verification failed for .*: num=25:path length constraint exceeded$/,
    );
    assert.ok(!seen.some((line) => line.startsWith('MAIL')));
  });
});

describe('DANE', () => {
  it('is left aside where nothing is signed or nothing is said', async () => {
    const known = [tlsa(3, 'key', 'sha256', 'mx')];
    for (const world of [{}, { tlsa: known, unsigned: ['A'] }, { tlsa: known, unsigned: ['TLSA'] }] as const) {
      const { outcome, log } = await deliver(world);
      assert.ok(isSent(outcome));
      assert.deepEqual(log, [established('Untrusted')]);
    }
    const forced = await deliver(
      { tlsa: known, unsigned: ['A'] },
      ['mx'],
      ['smtp_tls_force_insecure_host_tlsa_lookup = yes'],
    );
    assert.deepEqual(forced.log, [established('Verified')]);
  });

  it('is not left aside because the records can not be looked up', async () => {
    const { outcome, log, seen } = await deliver({ tlsa: 'tryAgain' });
    assert.match(outcome, /^deferred 4\.7\.5 TLSA lookup error for mx\.example\.com:\d+$/);
    assert.deepEqual(log, [
      'DANE TLSA lookup problem: tryAgain!',
      'TLS policy lookup for example.com:PORT/mx.example.com: TLSA lookup error for mx.example.com:PORT',
    ]);
    assert.deepEqual(seen, []);
  });

  it('wants TLS where the records are of no use', async () => {
    const odd = await deliver({ tlsa: [stray(1)] });
    assert.match(odd.log[0] ?? '', /^_PORT\._tcp\.mx\.example\.com unsupported TLSA certificate usage: 1 1 1 0707/);
    assert.deepEqual([isSent(odd.outcome), odd.log.at(-1)], [true, established('Untrusted')]);
    for (const record of [stray(3, 7), stray(3, 1, 9), stray(3, 1, 1, 20), stray(3, 0, 0, 20), stray(3, 1, 0, 20)]) {
      const { outcome, log } = await deliver({ tlsa: [record] });
      assert.ok(isSent(outcome));
      assert.match(log[0] ?? '', /: unusable TLSA RR: 3 \d \d 0707/);
      assert.equal(log[1], `${here}: all TLSA records unusable, fallback to unauthenticated TLS`);
    }
  });

  it('says what it knows of a server whose domain is not signed, and trusts it less', async () => {
    const world: World = { tlsa: [tlsa(3, 'key', 'sha256', 'mx')], unsigned: ['MX'] };
    assert.deepEqual((await deliver(world)).log, [established('Trusted')]);
    assert.equal((await deliver({ ...world, tlsa: [stray(3)] })).outcome, refused);
    for (const level of ['may', 'encrypt']) {
      const { outcome, log } = await deliver(
        { ...world, tlsa: [stray(3)] },
        ['mx'],
        [`smtp_tls_dane_insecure_mx_policy = ${level}`],
      );
      assert.deepEqual([isSent(outcome), log], [true, [established('Untrusted')]]);
    }
  });

  it('looks under the name at the end of an alias first', async () => {
    const known = [tlsa(3, 'key', 'sha256', 'mx')];
    const alias = 'real.example.net';
    const there = await deliver({ tlsa: known, alias, at: alias });
    assert.deepEqual([isSent(there.outcome), there.asked, there.askedFor], [true, [`_PORT._tcp.${alias}`], [alias]]);
    const first = await deliver({ tlsa: known, alias });
    assert.deepEqual(first.asked, [`_PORT._tcp.${alias}`, '_PORT._tcp.mx.example.com']);
    assert.deepEqual([first.log, first.askedFor], [[established('Verified')], ['mx.example.com']]);
    // what the alias leads to is not signed, the alias is
    const half = await deliver({ tlsa: known, alias, unsigned: ['A'] });
    assert.deepEqual([half.log, half.asked], [[established('Verified')], ['_PORT._tcp.mx.example.com']]);
    const none = await deliver({ tlsa: known, alias, unsigned: ['A', 'CNAME'] });
    assert.deepEqual([none.log, none.asked], [[established('Untrusted')], []]);
  });

  it('alone is good enough where it is demanded', async () => {
    const only = ['smtp_tls_security_level = dane-only'];
    const known = [tlsa(3, 'key', 'sha256', 'mx')];
    assert.ok(isSent((await deliver({ tlsa: known }, ['mx'], only)).outcome));
    for (const [world, reason] of [
      [{}, 'no TLSA records found'],
      [{ tlsa: [stray(1)] }, 'TLSA records unusable'],
      [{ tlsa: known, unsigned: ['MX'] }, 'non DNSSEC destination'],
      [{ tlsa: [stray(3, 7)] }, 'Server certificate not verified'],
    ] as const)
      assert.equal((await deliver(world, ['mx'], only)).outcome, `deferred 4.7.5 ${reason}`);
  });

  it('does not let mail fall back to a server that does not begin with TLS', async () => {
    const wraps = ['smtp_tls_wrappermode = yes'];
    const { outcome, log, seen } = await deliver({}, ['mx'], wraps);
    assert.equal(outcome, 'deferred 4.3.0 server unavailable or unable to receive mail');
    assert.deepEqual(log, ['smtp_tls_wrappermode requires "smtp_tls_security_level = encrypt" (or stronger)']);
    assert.deepEqual(seen, []);
  });

  it('does not take a host for unknown because one family of its addresses is not signed', async () => {
    const found: Readonly<Record<string, readonly DnsRecord[]>> = {
      'mx.example.com A': [a('mx.example.com', '127.0.0.1')],
      'mx.example.com AAAA': [{ type: 'AAAA', name: 'mx.example.com', ttl: 1, address: '::1' }],
    };
    const resolver: Resolver = {
      lookup(name, type) {
        const records = type === 'TLSA' ? [{ type, name, ttl: 1, data: stray(3) } as const] : found[`${name} ${type}`];
        if (records === undefined) return Promise.resolve({ kind: 'noName', reason: 'none' });
        return Promise.resolve({ kind: 'ok', records, secure: type !== 'A', canonicalName: name });
      },
    };
    const script = { ehlo: '250-s\r\n250 STARTTLS', starttls: '220 go', secured: '250 s' };
    await using sink = await startSink(script, { chain: pem('mx') });
    const lines = ['smtp_dns_support_level = dnssec', 'smtp_tls_security_level = dane', 'inet_protocols = all'];
    await using agent = startAgent(lines, { resolver });
    const { outcomes } = await agent.deliver(request(`[mx.example.com]:${sink.port}`, ['u@example.com']));
    assert.match(worded(outcomes), /^deferred /);
    assert.ok(!sink.seen.some((line) => line.startsWith('MAIL')));
  });

  it('is nothing for a socket of this machine', async () => {
    await using agent = startAgent(['lmtp_dns_support_level = dnssec', 'lmtp_tls_security_level = dane'], {
      protocol: 'lmtp',
    });
    const { outcomes } = await agent.deliver(request('unix:/nowhere', ['u@example.com']));
    assert.equal(worded(outcomes), 'deferred 4.7.5 client TLS configuration problem');
  });

  it('is no more than may where its ground is missing', async () => {
    const known = { tlsa: [stray(3)] };
    for (const [line, what] of [
      ['smtp_dns_support_level = enabled', 'dane configured with dnssec lookups disabled'],
      ['ignore_mx_lookup_error = yes', 'dane configured with MX lookup errors ignored'],
      ['smtp_dns_resolver_options = res_defnames', 'dns resolver options incompatible with dane TLS'],
    ] as const) {
      const { outcome, log } = await deliver(known, ['mx'], [line]);
      assert.deepEqual([isSent(outcome), log], [true, [`example.com:PORT: ${what}`, established('Untrusted')]]);
      const only = await deliver(known, ['mx'], [line, 'smtp_tls_security_level = dane-only']);
      assert.equal(only.outcome, 'deferred 4.7.5 client TLS configuration problem');
    }
  });
});

describe('a resolver that checks no signatures', () => {
  const unavailable = 'warning: DNSSEC validation may be unavailable';
  const answers = (isSigned: (type: DnsType) => boolean, probe: DnsAnswer): Resolver => ({
    lookup: (name, type) =>
      Promise.resolve(
        name === '.'
          ? probe
          : {
              kind: 'ok',
              records: [type === 'MX' ? mx(name, 10, 'mx.example.com') : a(name, '127.0.0.1')],
              secure: isSigned(type),
              canonicalName: name,
            },
      ),
  });
  const ok = (secure: boolean): DnsAnswer => ({ kind: 'ok', records: [], secure, canonicalName: '.' });
  const told = async (resolver: Resolver, lines: readonly string[] = []): Promise<readonly string[]> => {
    await using sink = await startSink();
    await using agent = startAgent(['smtp_dns_support_level = dnssec', ...lines], { resolver });
    await agent.deliver(request(`example.com:${sink.port}`, ['u@example.com']));
    await agent.deliver(request(`example.com:${sink.port}`, ['u@example.com']));
    return agent.log.filter((line) => line.startsWith('warning:'));
  };

  it('is told of once', async () => {
    const reason = "warning: reason: dnssec_probe 'ns:.' received";
    const unsigned = await told(answers(() => false, ok(false)));
    assert.deepEqual(unsigned, [unavailable, `${reason} a response that is not DNSSEC validated`]);
    const silent = await told(answers(() => false, { kind: 'tryAgain', reason: 'Host not found, try again' }));
    assert.deepEqual(silent, [unavailable, `${reason} no response: Host not found, try again`]);
  });

  it('is not suspected when something was signed, or nobody asks', async () => {
    assert.deepEqual(await told(answers((type) => type === 'MX', ok(false))), []);
    assert.deepEqual(await told(answers(() => false, ok(true))), []);
    assert.deepEqual(
      await told(
        answers(() => false, ok(false)),
        ['dnssec_probe ='],
      ),
      [],
    );
    assert.deepEqual(
      await told(
        answers(() => false, ok(false)),
        ['smtp_dns_support_level = enabled'],
      ),
      [],
    );
  });

  it('is asked for a name of our choice', async () => {
    assert.throws(
      () => startAgent(['smtp_dns_support_level = dnssec', 'dnssec_probe = bogus']),
      /line 3: malformed dnssec_probe/,
    );
  });
});
