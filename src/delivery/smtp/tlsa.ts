/** TLSA records: which of them can be used, and what certificates they are of. RFC 6698; RFC 7671 */
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';

export interface TlsaRecord {
  /** 2: of an authority (DANE-TA); 3: of the server itself (DANE-EE). Others are of no use for mail. RFC 7672, 3.1.3 */
  readonly usage: number;
  /** 0: of the whole certificate; 1: of its key. */
  readonly selector: number;
  /** 0: all of it; 1: its SHA-256; 2: its SHA-512. */
  readonly matching: number;
  readonly data: Buffer;
}

/** Undefined: it is too short to be one. */
export function parseTlsa(rdata: Buffer): TlsaRecord | undefined {
  const [usage, selector, matching] = rdata;
  if (usage === undefined || selector === undefined || matching === undefined) return undefined;
  return { usage, selector, matching, data: rdata.subarray(3) };
}

/** Of long data the log shows both ends. */
const shownBytes = 32;

/** `3 1 1 AB…`, as the log has it. */
export function tlsaText({ usage, selector, matching, data }: TlsaRecord): string {
  const hex = (bytes: Buffer): string => bytes.toString('hex').toUpperCase();
  const isLong = data.length > 2 * shownBytes;
  const shown = isLong ? `${hex(data.subarray(0, shownBytes))}...${hex(data.subarray(-shownBytes))}` : hex(data);
  return `${usage} ${selector} ${matching} ${shown}`;
}

export const ofAuthority = 2;
export const ofServer = 3;

const digests: ReadonlyMap<number, { readonly name: string; readonly bytes: number }> = new Map([
  [1, { name: 'sha256', bytes: 32 }],
  [2, { name: 'sha512', bytes: 64 }],
]);

/** Whether a record can match at all; `allowed`: digests by name, tls_dane_digests. */
export function isUsable({ selector, matching, data }: TlsaRecord, allowed: readonly string[]): boolean {
  if (selector > 1) return false;
  if (matching === 0) return selector === 0 ? isCertificate(data) : isKey(data);
  return data.length === digests.get(matching)?.bytes && strengthOf(matching, allowed) >= 0;
}

function isCertificate(data: Buffer): boolean {
  try {
    return new X509Certificate(data).raw.length === data.length;
  } catch {
    return false;
  }
}

function isKey(data: Buffer): boolean {
  try {
    const key = createPublicKey({ key: data, format: 'der', type: 'spki' });
    return key.export({ type: 'spki', format: 'der' }).length === data.length;
  } catch {
    return false;
  }
}

/** The first of the digests allowed is the strongest; -1: it is not allowed. */
function strengthOf(matching: number, allowed: readonly string[]): number {
  const at = allowed.findIndex((word) => word.replace(/=.*$/, '').toLowerCase() === digests.get(matching)?.name);
  return at < 0 ? -1 : allowed.length - at;
}

/** Weaker digests don't count beside stronger ones of the same kind. RFC 7671, 9 */
export function strongest(records: readonly TlsaRecord[], allowed: readonly string[]): readonly TlsaRecord[] {
  return records.filter(
    (record) =>
      record.matching === 0 ||
      !records.some(
        ({ usage, selector, matching }) =>
          usage === record.usage &&
          selector === record.selector &&
          matching !== 0 &&
          strengthOf(matching, allowed) > strengthOf(record.matching, allowed),
      ),
  );
}

/** Whether a record is of a certificate. */
export function isOf(certificate: X509Certificate, { selector, matching, data }: TlsaRecord): boolean {
  try {
    const whole = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' });
    const digest = digests.get(matching);
    return data.equals(digest === undefined ? whole : createHash(digest.name).update(whole).digest());
  } catch {
    // a stranger's key that nobody can read
    return false;
  }
}
