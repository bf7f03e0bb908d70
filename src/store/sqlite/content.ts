/** Content of a stored message: from memory while it is fresh, else read part by part and checked. */
import type { MessageContent } from '#message';
import { type ContentGarbage, thrownText } from '#native';
import { StoreError } from '../queue-store.ts';
import { contentChecksum } from './checksums.ts';
import type { Reader } from './reader.ts';
import type { OnDamage } from './recipient-parts.ts';

export function memoryContent(chunks: readonly Buffer[], sizeBytes: number, headerBytes: number): MessageContent {
  return { sizeBytes, headerBytes, chunks: () => chunks };
}

/**
 * Reads one part at a time. Throws StoreError when a part is missing or its checksum is wrong, and tells `onDamage` unless
 * the message was deleted meanwhile.
 */
export function storedContent(
  reader: Reader,
  serial: number,
  {
    sizeBytes,
    headerBytes,
    garbage,
    onDamage,
  }: {
    sizeBytes: number;
    headerBytes: number;
    garbage: ContentGarbage;
    onDamage: OnDamage;
  },
): MessageContent {
  const damaged = (reason: string, cause?: unknown): StoreError => {
    onDamage(reason, cause);
    return new StoreError(reason);
  };
  const from = <T>(read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw damaged(`content is damaged: ${thrownText(error)}`, error);
    }
  };
  const missing = (): StoreError =>
    from(() => reader.row(serial)) === undefined
      ? new StoreError('the message was deleted')
      : damaged('content is missing');
  function* chunks(): Iterable<Buffer> {
    let read = 0;
    for (let part = 0; read < sizeBytes; part += 1) {
      const at = part;
      const row = from(() => reader.part(serial, at));
      if (row === undefined) throw missing();
      if (contentChecksum(row.data) !== row.crc) throw damaged('content is damaged: checksum mismatch');
      read += row.data.length;
      garbage.add(row.data.length);
      yield Buffer.from(row.data.buffer, row.data.byteOffset, row.data.byteLength);
    }
  }
  return { sizeBytes, headerBytes, chunks };
}
