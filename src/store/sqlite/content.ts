/** Content of a stored message: from memory while it is fresh, else read part by part and checked. */
import { crc32 } from 'node:zlib';
import type { MessageContent } from '#message';
import { StoreError } from '../queue-store.ts';
import type { Reader } from './reader.ts';

export function memoryContent(chunks: readonly Buffer[], sizeBytes: number, headerBytes: number): MessageContent {
  return { sizeBytes, headerBytes, chunks: () => chunks };
}

/** Reads one part at a time. Throws StoreError when a part is missing or its checksum is wrong. */
export function storedContent(reader: Reader, serial: number, sizeBytes: number, headerBytes: number): MessageContent {
  function* chunks(): Iterable<Buffer> {
    let read = 0;
    for (let part = 0; read < sizeBytes; part += 1) {
      const row = reader.part(serial, part);
      if (row === undefined) throw new StoreError('content is missing');
      if (crc32(row.data) !== row.crc) throw new StoreError('content is damaged: checksum mismatch');
      read += row.data.length;
      yield Buffer.from(row.data.buffer, row.data.byteOffset, row.data.byteLength);
    }
  }
  return { sizeBytes, headerBytes, chunks };
}
