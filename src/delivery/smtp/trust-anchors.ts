/** Files of authorities, or their keys, that a destination's certificate has to lead to. postconf(5) smtp_tls_trust_anchor_file */
import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { errnoText, thrownText } from '#native';
import { ofAuthority, type TlsaRecord } from './tlsa.ts';

const block = /-----BEGIN (CERTIFICATE|PUBLIC KEY)-----.*?-----END \1-----/gs;

/** As DANE would have them; a text says what is wrong. */
export function readTrustAnchors(path: string): readonly TlsaRecord[] | string {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    return `error opening trust anchor file: ${path}: ${errnoText(error)}`;
  }
  try {
    const anchors = [...text.matchAll(block)].map(([pem, kind]) => anchorOf(pem, kind === 'CERTIFICATE'));
    return anchors.length > 0 ? anchors : `no certificates or public keys in trust anchor file: ${path}`;
  } catch (error) {
    return `error reading trust anchor file: ${path}: ${thrownText(error)}`;
  }
}

function anchorOf(pem: string, isCertificate: boolean): TlsaRecord {
  const data = isCertificate
    ? new X509Certificate(pem).raw
    : createPublicKey(pem).export({ type: 'spki', format: 'der' });
  return { usage: ofAuthority, selector: isCertificate ? 0 : 1, matching: 0, data };
}
