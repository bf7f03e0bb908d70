import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { SaslStep } from '#sasl';
import { digestConversation } from '../../../src/sasl/challenge-exchanges.ts';
import { digestsOf, readDigestResponse } from '../../../src/sasl/digest-md5.ts';

const md5 = (...parts: readonly (string | Buffer)[]): Buffer => {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** What a client sends, with some of it changed; '' leaves a directive out. */
function responseTo(challenge: string, changes: Readonly<Record<string, string>> = {}): string {
  const nonce = /nonce="([^"]*)"/.exec(challenge)?.[1] ?? '';
  const said = {
    username: 'ann',
    realm: 'mail.example.com',
    cnonce: 'c',
    nc: '00000001',
    qop: 'auth',
    'digest-uri': 'smtp/x',
    ...changes,
  };
  const user = md5(`${said.username}:${said.realm}:secret`);
  const authzid = changes['authzid'] === undefined ? '' : `:${changes['authzid']}`;
  const session = md5(user, `:${nonce}:${said.cnonce}${authzid}`).toString('hex');
  const asked = md5(`AUTHENTICATE:${said['digest-uri']}`).toString('hex');
  const response = md5(`${session}:${nonce}:${said.nc}:${said.cnonce}:${said.qop}:${asked}`).toString('hex');
  return Object.entries({ nonce, response, ...said, ...changes })
    .filter(([, value]) => value !== '')
    .map(([name, value]) =>
      name === 'nc' || name === 'qop' || name === 'maxbuf' ? `${name}=${value}` : `${name}="${value}"`,
    )
    .join(', ');
}

describe('DIGEST-MD5', () => {
  const converse = (): ReturnType<typeof digestConversation> =>
    digestConversation({
      hostName: 'mail.example.com',
      realm: 'mail.example.com',
      service: 'smtp',
      now: () => 0,
      canonical: (user) => user,
      passwordOf: (user) => (user === 'ann' ? Buffer.from('secret') : undefined),
    });
  const text = (step: SaslStep): string =>
    step.kind === 'challenge' ? Buffer.from(step.text, 'base64').toString() : '';
  const outcome = (changes: Readonly<Record<string, string>>): string => {
    const answer = converse();
    const step = answer(Buffer.from(responseTo(text(answer(undefined)), changes)));
    return step.kind === 'refused' ? `${step.reason}: ${(step.warnings ?? []).join().replace(/.*?: /, '')}` : step.kind;
  };

  it('takes the answer of the RFC, and proves that it knows the password', () => {
    const said = readDigestResponse(
      Buffer.from(
        'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth',
      ),
      'OA6MG9tEQGm2hh',
      'imap',
    );
    if (typeof said === 'string') assert.fail(said);
    assert.deepEqual(digestsOf(said, 'OA6MG9tEQGm2hh', Buffer.from('secret')), {
      expected: said.response,
      proof: 'rspauth=ea40f60335c427b5527b84dbabcdfffd',
    });
  });

  it('lets a client in once it has seen the proof, whatever it says to that', () => {
    const answer = converse();
    const challenge = text(answer(undefined));
    assert.match(
      challenge,
      /^nonce="[^"]{44}",realm="mail\.example\.com",qop="auth",charset=utf-8,algorithm=md5-sess$/,
    );
    assert.match(text(answer(Buffer.from(responseTo(challenge)))), /^rspauth=[0-9a-f]{32}$/);
    assert.deepEqual(answer(Buffer.alloc(0)), { kind: 'authenticated', user: 'ann' });
  });

  it('refuses in the words of libsasl', () => {
    const wrong = 'authentication failure';
    const cases: readonly (readonly [Readonly<Record<string, string>>, string])[] = [
      [{ username: '' }, `${wrong}: required parameters missing: username`],
      [{ nonce: '', cnonce: '' }, `${wrong}: required parameters missing: nonce`],
      [{ nc: '' }, `${wrong}: required parameters missing: noncecount`],
      [{ 'digest-uri': '' }, `${wrong}: required parameters missing: digesturi`],
      [{ nonce: 'other' }, `${wrong}: nonce changed: authentication aborted`],
      [{ nc: 'x' }, `${wrong}: error converting hex to int`],
      [{ nc: '00000002' }, `${wrong}: incorrect nonce-count`],
      [{ maxbuf: '10' }, `${wrong}: maxbuf parameter too small`],
      [{ 'digest-uri': 'imap/x' }, `${wrong}: bad digest-uri: doesn't match service`],
      [{ response: 'x' }, `${wrong}: client response doesn't match what we generated (tried bogus)`],
      [{ realm: 'example.org' }, `${wrong}: unable to canonify user and get auxprops`],
      [{ username: 'bob' }, `${wrong}: unable to canonify user and get auxprops`],
      [{ authzid: 'bob' }, `${wrong}: Requested identity not authenticated identity`],
      [{ qop: 'auth-int' }, 'generic failure: protocol violation: client requested invalid qop'],
      [{ qop: '' }, `${wrong}: client response doesn't match what we generated (tried bogus)`],
      [{ authzid: 'ann' }, 'challenge'],
    ];
    for (const [changes, expected] of cases) assert.equal(outcome(changes), expected, JSON.stringify(changes));
  });

  it('says of nonsense what libsasl says', () => {
    assert.equal(readDigestResponse(Buffer.alloc(0), 'n', 'smtp'), 'input expected in DIGEST-MD5, step 2');
    for (const nonsense of ['a b', 'username="""', 'x', '=']) {
      assert.equal(readDigestResponse(Buffer.from(nonsense), 'n', 'smtp'), 'Parse error');
    }
  });
});
