/**
 * The constant database format (cdb 0.75): 256 pairs of table position and length, the records, then 256 hash tables.
 * All numbers are 32 bits, little-endian.
 */

const headerBytes = 2048;

/** The format's hash of a key. */
function hashOf(key: Uint8Array): number {
  let hash = 5381;
  for (const byte of key) hash = (((hash << 5) + hash) ^ byte) >>> 0;
  return hash;
}

/** The bytes of a database with these entries; undefined when they exceed the format's 4 GB. */
export function formatCdb(entries: Iterable<readonly [string, string]>): Buffer | undefined {
  const chunks: Buffer[] = [];
  const slots: { readonly hash: number; readonly at: number }[][] = Array.from({ length: 256 }, () => []);
  let at = headerBytes;
  for (const [keyText, valueText] of entries) {
    const key = Buffer.from(keyText);
    const value = Buffer.from(valueText);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(key.length, 0);
    lengths.writeUInt32LE(value.length, 4);
    const hash = hashOf(key);
    slots[hash & 255]?.push({ hash, at });
    chunks.push(lengths, key, value);
    at += 8 + key.length + value.length;
    if (at > 0xffffffff) return undefined;
  }
  const header = Buffer.alloc(headerBytes);
  for (const [i, records] of slots.entries()) {
    const size = records.length * 2;
    header.writeUInt32LE(at, i * 8);
    header.writeUInt32LE(size, i * 8 + 4);
    const table = Buffer.alloc(size * 8);
    for (const { hash, at: position } of records) {
      let slot = (hash >>> 8) % size;
      while (table.readUInt32LE(slot * 8 + 4) !== 0) slot = (slot + 1) % size;
      table.writeUInt32LE(hash, slot * 8);
      table.writeUInt32LE(position, slot * 8 + 4);
    }
    chunks.push(table);
    at += table.length;
    if (at > 0xffffffff) return undefined;
  }
  return Buffer.concat([header, ...chunks]);
}

/** Other programs may end keys and values with a null byte. */
function textOf(bytes: Buffer): string {
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  return bytes.toString('utf8', 0, end);
}

/** All entries in the order of the file, the first of equal keys; undefined when it isn't such a file. */
export function parseCdb(file: Buffer): Map<string, string> | undefined {
  if (file.length < headerBytes) return undefined;
  let recordsEnd = file.length;
  for (let i = 0; i < 256; i += 1) {
    const position = file.readUInt32LE(i * 8);
    if (position < headerBytes || position + file.readUInt32LE(i * 8 + 4) * 8 > file.length) return undefined;
    recordsEnd = Math.min(recordsEnd, position);
  }
  const entries = new Map<string, string>();
  for (let at = headerBytes; at < recordsEnd;) {
    if (at + 8 > recordsEnd) return undefined;
    const keyEnd = at + 8 + file.readUInt32LE(at);
    const valueEnd = keyEnd + file.readUInt32LE(at + 4);
    if (valueEnd > recordsEnd) return undefined;
    const key = textOf(file.subarray(at + 8, keyEnd));
    if (!entries.has(key)) entries.set(key, textOf(file.subarray(keyEnd, valueEnd)));
    at = valueEnd;
  }
  return entries;
}
