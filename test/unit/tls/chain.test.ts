import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chainsIn } from '../../../src/tls/chain.ts';

const block = (label: string, text: string): string => `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`;
const key = (text: string): string => block('PRIVATE KEY', text);
const certificate = (text: string): string => block('CERTIFICATE', text);

describe('keys and certificates in one text', () => {
  it('are a chain behind each key', () => {
    const text = `${key('a')}${certificate('b')}note\n${certificate('c')}${block('EC PARAMETERS', 'x')}${block('EC PRIVATE KEY', 'd')}${certificate('e')}`;
    const chains = chainsIn(Buffer.from(text));
    if (typeof chains === 'string') assert.fail(chains);
    assert.deepEqual(chains.key.map(String), [key('a'), block('EC PRIVATE KEY', 'd')]);
    assert.deepEqual(chains.cert.map(String), [certificate('b') + certificate('c'), certificate('e')]);
  });

  it('are complained of in another order', () => {
    assert.equal(chainsIn(Buffer.from(certificate('a') + key('b'))), 'key not first');
    assert.equal(chainsIn(Buffer.from(key('a') + key('b') + certificate('c'))), 'key without a certificate');
    assert.equal(chainsIn(Buffer.from('')), 'no private keys');
  });
});
