import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { type Chains, chainsOf, isBroken, mixedChain, type PemFile, type Problems } from '../../../src/tls/chain.ts';
import { chain as chainPath } from './handshake-bench.ts';

const whole = readFileSync(chainPath, 'latin1');
const blockOf = (label: string): string =>
  new RegExp(`-----BEGIN ${label}-----[^]*?-----END ${label}-----\n`).exec(whole)?.[0] ?? assert.fail(label);
const key = blockOf('PRIVATE KEY');
const certificate = blockOf('CERTIFICATE');
const otherKey = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const parameters = '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n';
const locked = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n';
const file = (name: string, content: string): PemFile => ({ name, content: Buffer.from(content) });

function good(result: Chains | Problems): Chains {
  return isBroken(result) ? assert.fail(result.join('; ')) : result;
}

describe('keys and certificates in files', () => {
  it('are a chain behind each key, across the ends of files', () => {
    const chains = good(
      chainsOf([file('a', `${parameters}${key}`), file('b', `note\n${certificate}${certificate}${key}${certificate}`)]),
    );
    assert.deepEqual(chains.key.map(String), [key, key]);
    assert.deepEqual(chains.cert.map(String), [certificate + certificate, certificate]);
  });

  it('are complained of in another order, as others, or when they do not belong together', () => {
    const complaints: readonly (readonly [readonly string[], string])[] = [
      [[certificate + key], 'error loading chain from 0: key not first'],
      [[key + otherKey + certificate], 'No certs for key at index 1 in 0'],
      [[key + certificate, otherKey], 'No certs for key at index 1 in 1'],
      [[key + certificate, 'nothing'], 'No PEM data in 1'],
      [
        [locked, certificate],
        'loading 0: ignoring PEM type: ENCRYPTED PRIVATE KEY; error loading chain from 1: key not first',
      ],
      [[locked], 'loading 0: ignoring PEM type: ENCRYPTED PRIVATE KEY; No private key found in 0'],
      [
        [key + certificate, otherKey, certificate],
        'key at index 1 in 1 does not match next certificate; TLS library problem: error:0A000120:SSL routines::private key mismatch',
      ],
    ];
    for (const [contents, expected] of complaints) {
      const problems = chainsOf(contents.map((content, at) => file(String(at), content)));
      assert.equal(isBroken(problems) && problems.join('; '), expected);
    }
  });

  it('may stand in any order in a file that is one pair', () => {
    const { key: keys, cert } = good(mixedChain(file('a', certificate + certificate + key)));
    assert.deepEqual([keys.map(String), cert.map(String)], [[key], [certificate + certificate]]);
    for (const [content, expected] of [
      [certificate, 'No private key found in a'],
      [key, 'No certs for key at index 1 in a'],
      ['', 'No PEM data in a'],
    ] as const) {
      assert.deepEqual(mixedChain(file('a', content)), [expected]);
    }
  });
});
