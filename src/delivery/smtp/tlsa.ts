/** TLSA records: which of them can be used, and whether a server's certificates are what they say. RFC 6698; RFC 7671 */
import { createHash, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { nameProblem, type NamesWanted } from './server-match.ts';

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

/** `3 1 1 AB…`, as the log has it. */
export function tlsaText({ usage, selector, matching, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matching} ${data.toString('hex').toUpperCase()}`;
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
  if (matching === 0) return selector === 0 ? isCertificate(data) : keyOf(data) !== undefined;
  return data.length === digests.get(matching)?.bytes && strengthOf(matching, allowed) >= 0;
}

function isCertificate(data: Buffer): boolean {
  try {
    return new X509Certificate(data).raw.length === data.length;
  } catch {
    return false;
  }
}

function keyOf(data: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: data, format: 'der', type: 'spki' });
  } catch {
    return undefined;
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

function matches(certificate: X509Certificate, { selector, matching, data }: TlsaRecord): boolean {
  const whole = selector === 0 ? certificate.raw : certificate.publicKey.export({ type: 'spki', format: 'der' });
  const digest = digests.get(matching);
  return data.equals(digest === undefined ? whole : createHash(digest.name).update(whole).digest());
}

export interface ShownChain {
  readonly own: X509Certificate;
  /** What it sent along. */
  readonly sent: readonly X509Certificate[];
}

export interface DaneProblem {
  /** In OpenSSL's words. */
  readonly text: string;
  /** It is about those who vouch for the server. */
  readonly isOfAuthority: boolean;
}

/**
 * Why a server is none that the records speak of; undefined: it is. With a record of its own neither its name nor its time
 * matters (RFC 7672, 3.1.1); one of an authority wants both to be right (RFC 7671, 5.2). `at`: ms since the epoch.
 */
export function daneProblem(
  { own, sent }: ShownChain,
  records: readonly TlsaRecord[],
  wanted: NamesWanted,
  at: number,
): DaneProblem | undefined {
  if (records.some((record) => record.usage === ofServer && matches(own, record))) return undefined;
  const anchors = records.filter(({ usage }) => usage === ofAuthority);
  const path = trustedPath({ own, sent }, anchors);
  if (path === undefined) {
    return {
      text: 'num=65:no matching DANE TLSA records',
      isOfAuthority: anchors.length > 0 && sent.length > 0,
    };
  }
  const text = pathProblem(path, wanted, at);
  return text === undefined ? undefined : { text, isOfAuthority: false };
}

/** The same for authorities that are known by file: the server may be one of them itself. postconf(5) smtp_tls_trust_anchor_file */
export function anchorProblem(
  shown: ShownChain,
  anchors: readonly TlsaRecord[],
  wanted: NamesWanted,
  at: number,
): DaneProblem | undefined {
  if (!anchors.some((record) => matches(shown.own, record))) return daneProblem(shown, anchors, wanted, at);
  const text = pathProblem([shown.own], wanted, at);
  return text === undefined ? undefined : { text, isOfAuthority: false };
}

function pathProblem(path: readonly X509Certificate[], wanted: NamesWanted, at: number): string | undefined {
  const [own] = path;
  return own && (nameProblem(own, wanted) ?? timeProblem(path, at));
}

/** As OpenSSL bounds it. */
const longestPath = 100;

/** From the server's certificate to one that a record is of, by who has signed whom; undefined: it leads to none. */
function trustedPath(
  { own, sent }: ShownChain,
  anchors: readonly TlsaRecord[],
): readonly X509Certificate[] | undefined {
  const whole = anchors.filter(({ matching }) => matching === 0);
  const known = whole.filter(({ selector }) => selector === 0).map(({ data }) => new X509Certificate(data));
  const keys = whole.filter(({ selector }) => selector === 1).flatMap(({ data }) => keyOf(data) ?? []);
  const path = [own];
  for (let last = own; path.length < longestPath;) {
    if (keys.some((key) => last.verify(key))) return path;
    const signer = [...sent, ...known].find(
      (other) =>
        other.ca &&
        !path.some(({ fingerprint512 }) => fingerprint512 === other.fingerprint512) &&
        last.checkIssued(other) &&
        last.verify(other.publicKey),
    );
    if (signer === undefined) return undefined;
    path.push(signer);
    if (anchors.some((record) => matches(signer, record))) return path;
    last = signer;
  }
  return undefined;
}

function timeProblem(path: readonly X509Certificate[], at: number): string | undefined {
  // from those who vouch to the server's own
  for (const { validFromDate, validToDate } of path.toReversed()) {
    if (validFromDate.getTime() > at) return 'certificate not yet valid';
    if (validToDate.getTime() < at) return 'certificate has expired';
  }
  return undefined;
}
