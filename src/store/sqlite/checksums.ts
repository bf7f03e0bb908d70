/** What tells a damaged message from a sound one. Computed where the row is written: by the writer thread. */
import { crc32 } from 'node:zlib';

/** Of the columns that say what to do with the message. */
export function rowChecksum(envelope: string, recipients: string): number {
  return crc32(recipients, crc32(envelope));
}

/** Of a part of the content. */
export function contentChecksum(data: Uint8Array): number {
  return crc32(data);
}
