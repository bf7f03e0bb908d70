import assert from 'node:assert/strict';
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, it } from 'node:test';
import type { SaslStep } from '#sasl';
import { scramClient } from '../../../src/sasl/scram-client.ts';
import { scramConversation } from '../../../src/sasl/scram-exchange.ts';
import { checkProof, keysOf, readClientFinal, readClientFirst, scramHashes } from '../../../src/sasl/scram.ts';

const text = (step: SaslStep): string => (step.kind === 'challenge' ? Buffer.from(step.text, 'base64').toString() : '');
const base64 = (plain: string): string => Buffer.from(plain).toString('base64');

const said = (step: SaslStep): string =>
  step.kind === 'refused'
    ? `${step.reason}: ${(step.warnings ?? []).join().replaceAll(/SASL auth\w+ failure: /g, '')}`
    : step.kind;

const open = (mechanism = 'SCRAM-SHA-256'): ReturnType<typeof scramConversation> =>
  scramConversation(mechanism, {
    hostName: 'mail.example.com',
    realm: 'mail.example.com',
    service: 'smtp',
    now: () => 0,
    canonical: (user) => user.trim(),
    passwordOf: (user) => (user === 'ann' ? Buffer.from('secret') : undefined),
  });

/** A client's last message, and the server's signature that it expects. */
function finalOf(
  mechanism: string,
  first: string,
  header: string,
  serverFirst: string,
): { final: string; signature: string } {
  const hash = scramHashes.get(mechanism) ?? '';
  const [nonce = '', salt = '', iterations = ''] = serverFirst.split(',').map((part) => part.slice(2));
  const length = createHash(hash).digest().length;
  const salted = pbkdf2Sync('secret', Buffer.from(salt, 'base64'), Number(iterations), length, hash);
  const key = createHmac(hash, salted).update('Client Key').digest();
  const withoutProof = `c=${base64(header)},r=${nonce}`;
  const signed = `${first},${serverFirst},${withoutProof}`;
  const mask = createHmac(hash, createHash(hash).update(key).digest()).update(signed).digest();
  const proof = Buffer.from(key.map((byte, at) => byte ^ (mask[at] ?? 0)));
  const server = createHmac(hash, salted).update('Server Key').digest();
  return {
    final: `${withoutProof},p=${proof.toString('base64')}`,
    signature: `v=${createHmac(hash, server).update(signed).digest('base64')}`,
  };
}

describe('SCRAM', () => {
  it('takes the client of RFC 7677, and signs for it', async () => {
    const mechanism = 'SCRAM-SHA-256';
    const first = readClientFirst('n,,n=user,r=rOprNGfwEbeRWgbNEkqO', mechanism);
    if (typeof first === 'string') assert.fail(first);
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const serverFirst = `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
    const text = `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`;
    const final = readClientFinal(text, { mechanism, first, nonce });
    if (typeof final === 'string') assert.fail(final);
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const keys = await keysOf(mechanism, Buffer.from('pencil'), { salt, iterations: 4096 });
    const signed = `${first.bare},${serverFirst},${final.withoutProof}`;
    assert.deepEqual(checkProof(mechanism, keys, final.proof, signed), {
      isRight: true,
      signature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    });
  });

  it('lets a client in with each digest, once it has seen the signature', async () => {
    for (const mechanism of scramHashes.keys()) {
      const answer = open(mechanism);
      assert.equal(text(await answer(undefined)), '');
      const serverFirst = text(await answer(Buffer.from('n,a=ann,n=ann,r=x')));
      assert.match(serverFirst, /^r=x[A-Za-z0-9+/]{32},s=[A-Za-z0-9+/]{22}==,i=4096$/);
      const { final, signature } = finalOf(mechanism, 'n=ann,r=x', 'n,a=ann,', serverFirst);
      assert.equal(text(await answer(Buffer.from(final))), signature);
      assert.deepEqual(await answer(Buffer.alloc(0)), { kind: 'authenticated', user: 'ann' });
    }
  });

  it('refuses first words in those of libsasl', async () => {
    const bad = 'bad protocol / cancel: ';
    const cases: readonly (readonly [string, string])[] = [
      ['', `${bad}SCRAM-SHA-256 input expected`],
      ['n,,r=abc', `${bad}Invalid SCRAM-SHA-256 input`],
      ['x,,n=ann,r=abc', `${bad}The initial SCRAM-SHA-256 client response needs to start with 'y', 'n' or 'p'`],
      ['n,x=1,n=ann,r=a', `${bad}',' expected in SCRAM-SHA-256 input`],
      ['n,,m=x,n=ann,r=a', `${bad}Unsupported mandatory extension to SCRAM-SHA-256`],
      ['n,,n=annabel', `${bad}Nonce expected after the username in SCRAM-SHA-256 input`],
      ['n,,n=a=xb,r=abc', `${bad}Invalid username encoding in SCRAM-SHA-256 input`],
      ['n,,n=,r=abcdef', 'generic failure: All-whitespace username.,unable to canonify user and get auxprops'],
      ['n,,n=a=2Cb,r=abc', 'authentication failure: unable to canonify user and get auxprops'],
    ];
    for (const [first, expected] of cases) assert.equal(said(await open()(Buffer.from(first))), expected, first);
  });

  it('refuses last words in those of libsasl', async () => {
    const bad = 'bad protocol / cancel: ';
    const cases: readonly (readonly [(final: string) => string, string])[] = [
      [() => '', `${bad}SCRAM-SHA-256 input expected`],
      [() => 'x', `${bad}Invalid SCRAM-SHA-256 input`],
      [() => 'r=x,c=biws', `${bad}Channel binding expected in SCRAM-SHA-256 input`],
      [(final) => final.replace(/,p=.*/, ''), `${bad}At least proof is expected in SCRAM-SHA-256 input`],
      [
        (final) => final.replace('biws', '!!'),
        `${bad}Invalid base64 encoding of the channel bindings in SCRAM-SHA-256`,
      ],
      [(final) => final.replace(/r=[^,]*/, 'r=x'), `${bad}Nonce mismatch SCRAM-SHA-256 input`],
      [(final) => final.replace(/p=.*/, 'p=AAAA'), `${bad}Invalid client proof length in SCRAM-SHA-256 input`],
      [
        (final) => final.replace(/p=.*/, `p=${Buffer.alloc(32).toString('base64')}`),
        'authentication failure: StoredKey mismatch',
      ],
    ];
    for (const [change, expected] of cases) {
      const answer = open();
      const { final } = finalOf('SCRAM-SHA-256', 'n=ann,r=x', 'n,,', text(await answer(Buffer.from('n,,n=ann,r=x'))));
      assert.equal(said(await answer(Buffer.from(change(final)))), expected);
    }
  });

  it('has no channel to bind to, and lets nobody act for others', async () => {
    for (const [header, expected] of [
      ['p=tls-unique,,', 'bad protocol / cancel: Channel bindings data expected in SCRAM-SHA-256'],
      ['n,a=bob,', 'authentication failure: Requested identity not authenticated identity'],
      ['y,,', 'challenge'],
    ] as const) {
      const answer = open();
      const serverFirst = text(await answer(Buffer.from(`${header}n=ann,r=x`)));
      const { final } = finalOf('SCRAM-SHA-256', 'n=ann,r=x', header, serverFirst);
      assert.equal(said(await answer(Buffer.from(final))), expected);
    }
  });
});

describe('SCRAM as a client', () => {
  const nonce = 'rOprNGfwEbeRWgbNEkqO';
  const both = `${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0`;
  const serverFirst = `r=${both},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
  const bytes = (plain: string): Buffer => Buffer.from(plain);
  const begun = async () => {
    const say = scramClient({ mechanism: 'SCRAM-SHA-256', username: 'user', password: 'pencil', nonce });
    return { say, first: await say(bytes('')) };
  };

  it('says what RFC 7677 shows, and believes a server that knows the password', async () => {
    const { say, first } = await begun();
    assert.equal(first, `n,,n=user,r=${nonce}`);
    const proof = 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
    assert.equal(await say(bytes(serverFirst)), `c=biws,r=${both},p=${proof}`);
    assert.equal(await say(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')), '');
  });

  it('has no answer for a server that does not know the password', async () => {
    const { say } = await begun();
    await say(bytes(serverFirst));
    assert.equal(await say(bytes('v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')), undefined);
  });

  it('has no answer for what it can not use, or what would take too long', async () => {
    const salt = 's=W22ZaJ0SNY7soEsUEjb6gQ==';
    const others = [`r=${nonce},${salt},i=4096`, `r=x${both},${salt},i=4096`, `m=x,${serverFirst}`];
    const counts = ['0', '1000001', '-1', '4e9'].map((count) => `r=${both},${salt},i=${count}`);
    for (const line of [...others, ...counts, '']) {
      const { say } = await begun();
      assert.equal(await say(bytes(line)), undefined, line);
    }
  });

  it('is understood by our own server, with every digest and with names that need an escape', async () => {
    for (const mechanism of scramHashes.keys()) {
      const converse = scramConversation(mechanism, {
        hostName: 'mail.example.com',
        realm: 'mail.example.com',
        service: 'smtp',
        now: () => 0,
        canonical: (user) => user,
        passwordOf: (user) => (user === 'a,n=n' ? Buffer.from('sé:cret') : undefined),
      });
      const say = scramClient({ mechanism, username: 'a,n=n', password: 'sé:cret' });
      let answer = await say(bytes(''));
      for (let round = 0; round < 2; round += 1) answer = await say(bytes(text(await converse(bytes(answer ?? '')))));
      assert.equal(answer, '', mechanism);
      assert.deepEqual(await converse(bytes('')), { kind: 'authenticated', user: 'a,n=n' });
    }
  });
});
