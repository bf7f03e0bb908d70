/**
 * The certificates behind records of authorities. A digest says nothing of the certificate it is of: a server that shows it
 * tells, and OpenSSL judges what leads to it from the next handshake on. RFC 7671, 5.2
 */
import { X509Certificate } from 'node:crypto';
import { BoundedMemory } from '#message';
import { isOf, ofAuthority, type TlsaRecord } from './tlsa.ts';

const memory = { ttlMs: 3_600_000, maxEntries: 500 } as const;

/** No authority needs more. */
const maxBytes = 16_384;

const keyOf = ({ selector, matching, data }: TlsaRecord): string =>
  `${selector} ${matching} ${data.toString('base64')}`;

export class KnownAnchors {
  readonly #shown: BoundedMemory<X509Certificate>;

  constructor(now: () => number) {
    this.#shown = new BoundedMemory({ ...memory, now });
  }

  /** Those that are known. */
  of(records: readonly TlsaRecord[]): readonly X509Certificate[] {
    return records
      .filter(({ usage }) => usage === ofAuthority)
      .flatMap((record) => {
        if (record.selector === 0 && record.matching === 0) return [new X509Certificate(record.data)];
        return this.#shown.get(keyOf(record)) ?? [];
      });
  }

  /** Looks for others among what a server shows; false: nothing is new. */
  learn(records: readonly TlsaRecord[], shown: readonly X509Certificate[]): boolean {
    let isNew = false;
    for (const record of records.filter(({ usage }) => usage === ofAuthority)) {
      const known = this.of([record]).map(({ fingerprint512 }) => fingerprint512);
      const found = shown.find(
        (one) => one.raw.length <= maxBytes && isOf(one, record) && !known.includes(one.fingerprint512),
      );
      if (found === undefined) continue;
      this.#shown.set(keyOf(record), found);
      isNew = true;
    }
    return isNew;
  }
}
