/** What the certificate of the other side says, and what the handshake was signed with. RFC 5280; RFC 8446, 4.4.3 */
import { createHash, type KeyObject, type X509Certificate } from 'node:crypto';
import type { HandshakeSignature, PeerCertificate } from '#message';

/** `AB:CD:…`; undefined when there is no such digest. */
export function fingerprint(der: Buffer, digest: string): string | undefined {
  try {
    return createHash(digest).update(der).digest('hex').toUpperCase().match(/../g)?.join(':');
  } catch {
    // an unknown digest is told of at the start
    return undefined;
  }
}

/** Whether OpenSSL knows a digest by this name. */
export function isDigest(name: string): boolean {
  return fingerprint(Buffer.alloc(0), name) !== undefined;
}

/** The lines `NAME=value` of a name as Node writes it, in which `\\"` stands for `"` and `\\0A` for a line end. */
function attributes(name: string | undefined): readonly string[] {
  if (name === undefined || name === '') return [];
  return name
    .split('\n')
    .map((line) =>
      line.replaceAll(/\\(?:([0-9A-F]{2})|(.))/gsu, (_all, hex: string | undefined, char: string | undefined) =>
        hex === undefined ? (char ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
      ),
    );
}

/** undefined: there is none. */
function attribute(name: string | undefined, type: string): string | undefined {
  return attributes(name)
    .find((line) => line.startsWith(`${type}=`))
    ?.slice(type.length + 1);
}

/** What has no place in replies and logs. */
// oxlint-disable-next-line no-control-regex -- line ends above all
const unprintable = /[\x00-\x1f\x7f]/;

/** `/O=Org/CN=name`, with bytes that are not printable ASCII as `\xC3`. */
export function oneLine(name: string | undefined): string {
  const whole = attributes(name)
    .map((line) => `/${line}`)
    .join('');
  return Buffer.from(whole)
    .toString('latin1')
    .replaceAll(/[^ -~]/g, (char) => `\\x${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
}

/** Why a certificate of a client or a server is not believed, as the log says it; `code`: of OpenSSL. */
export function verificationProblem(code: string, issuer: string, whose: 'client' | 'server'): string {
  switch (code) {
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'self-signed certificate';
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `untrusted issuer ${issuer}`;
    case 'CERT_HAS_EXPIRED':
      return 'certificate has expired';
    case 'CERT_NOT_YET_VALID':
      return 'certificate not yet valid';
    case 'INVALID_PURPOSE':
      return `not designated for use as a ${whose} certificate`;
    case 'PATH_LENGTH_EXCEEDED':
      return 'num=25:path length constraint exceeded';
    default:
      return code;
  }
}

/** `problem`: why it is not believed; `digest`: smtpd_tls_fingerprint_digest. */
export function peerCertificate(
  certificate: X509Certificate,
  problem: string | undefined,
  digest: string,
): PeerCertificate {
  const { subject, issuer, raw, publicKey } = certificate;
  const odd: string[] = [];
  const usable = (value: string | undefined, what: string): string | undefined => {
    if (value === undefined || !unprintable.test(value)) return value;
    odd.push(what);
    return undefined;
  };
  return {
    commonName: usable(attribute(subject, 'CN'), 'peer subject CN') ?? '',
    issuerName:
      usable(attribute(issuer, 'CN'), 'peer issuer CN') ?? usable(attribute(issuer, 'O'), 'peer issuer O') ?? '',
    unprintable: odd,
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    fingerprint: fingerprint(raw, digest) ?? '',
    keyFingerprint: fingerprint(publicKey.export({ type: 'spki', format: 'der' }), digest) ?? '',
    problem,
  };
}

/** In TLS 1.3 the curve of a key settles the digest. RFC 8446, 4.2.3 */
const curveDigests: Readonly<Record<string, string>> = {
  prime256v1: 'SHA256',
  secp384r1: 'SHA384',
  secp521r1: 'SHA512',
};

/** What a key signs a handshake of TLS 1.3 with; `digest`: of an RSA signature. Undefined: a kind of key without a name here. */
export function signatureOf(key: KeyObject, digest: string | undefined): HandshakeSignature | undefined {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {};
  const type: string = key.asymmetricKeyType ?? '';
  switch (type) {
    case 'rsa':
    case 'rsa-pss':
      return {
        name: 'RSA-PSS',
        ...(modulusLength === undefined ? {} : { bits: modulusLength }),
        ...(digest === undefined ? {} : { digest }),
      };
    case 'ec': {
      const settled = curveDigests[namedCurve ?? ''];
      return {
        name: 'ECDSA',
        ...(namedCurve === undefined ? {} : { curve: namedCurve }),
        ...(settled === undefined ? {} : { digest: settled }),
      };
    }
    case 'ed25519':
    case 'ed448':
      return { name: type.toUpperCase() };
    default:
      return undefined;
  }
}

/**
 * The digest of the server's RSA signature: the first that both sides know, in the client's order. The two kinds of
 * RSA-PSS have one name in the list: clients tell one kind after the other, or, by GnuTLS, both kinds of each digest.
 * Where their orders may differ it can't be known.
 */
export function rsaDigest(sharedAlgorithms: readonly string[]): string | undefined {
  const digests = sharedAlgorithms.flatMap((name) => /^RSA-PSS\+(\w+)$/.exec(name)?.[1] ?? []);
  const [first, second] = digests;
  const half = digests.slice(0, digests.length / 2);
  const isTwice = half.join() === digests.slice(half.length).join();
  return isTwice || first === second || new Set(digests).size === digests.length ? first : undefined;
}
