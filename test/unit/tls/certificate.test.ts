import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { peerCertificate, rsaDigest, signatureOf, verificationProblem } from '../../../src/tls/certificate.ts';

describe('the signature of a handshake', () => {
  it('is named for the kind of key; the curve settles the digest', () => {
    const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
    const p384 = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
    const edwards = generateKeyPairSync('ed25519').publicKey;
    assert.deepEqual(signatureOf(rsa, 'SHA512'), { name: 'RSA-PSS', bits: 1024, digest: 'SHA512' });
    assert.deepEqual(signatureOf(rsa, undefined), { name: 'RSA-PSS', bits: 1024 });
    assert.deepEqual(signatureOf(p384, 'SHA512'), { name: 'ECDSA', curve: 'secp384r1', digest: 'SHA384' });
    assert.deepEqual(signatureOf(edwards, 'SHA512'), { name: 'ED25519' });
    const exchange = createPublicKey(generateKeyPairSync('x25519').privateKey);
    assert.equal(signatureOf(exchange, undefined), undefined);
  });

  it('has the digest that comes first, if its kind of RSA-PSS makes no difference', () => {
    const both = ['ECDSA+SHA256', 'RSA-PSS+SHA256', 'RSA-PSS+SHA384', 'RSA-PSS+SHA256', 'RSA-PSS+SHA384', 'RSA+SHA1'];
    assert.equal(rsaDigest(both), 'SHA256');
    assert.equal(rsaDigest(['RSA-PSS+SHA512', 'RSA-PSS+SHA256']), 'SHA512');
    const paired = ['RSA+SHA256', 'RSA-PSS+SHA256', 'RSA-PSS+SHA256', 'RSA+SHA384', 'RSA-PSS+SHA384', 'RSA-PSS+SHA384'];
    assert.equal(rsaDigest(paired), 'SHA256');
    assert.equal(rsaDigest(['RSA-PSS+SHA512', 'RSA-PSS+SHA256', 'RSA-PSS+SHA256']), undefined);
    assert.equal(rsaDigest(['ECDSA+SHA256']), undefined);
  });
});

describe('a certificate that is not believed', () => {
  it('has a reason in the words of the log', () => {
    assert.equal(verificationProblem('DEPTH_ZERO_SELF_SIGNED_CERT', '/CN=x', 'client'), 'self-signed certificate');
    assert.equal(
      verificationProblem('UNABLE_TO_GET_ISSUER_CERT_LOCALLY', '/O=x/CN=y', 'client'),
      'untrusted issuer /O=x/CN=y',
    );
    assert.equal(verificationProblem('CERT_HAS_EXPIRED', '', 'client'), 'certificate has expired');
    assert.equal(verificationProblem('CERT_REVOKED', '', 'client'), 'CERT_REVOKED');
  });
});

describe('the names in a certificate', () => {
  const odd = new X509Certificate(readFileSync(new URL('odd-names.pem', import.meta.url)));

  it('are left out where they could break a line, and the organization steps in for an issuer', () => {
    const { commonName, issuerName, unprintable } = peerCertificate(odd, undefined, 'sha256');
    assert.deepEqual([commonName, issuerName], ['', 'Ö "q"']);
    assert.deepEqual(unprintable, ['peer subject CN', 'peer issuer CN']);
  });

  it('are one line of printable ASCII where they are shown whole', () => {
    const { subject } = peerCertificate(odd, undefined, 'sha256');
    assert.equal(subject, String.raw`/O=\xC3\x96 "q"/CN=x\x0D\x0A250 no`);
  });
});
