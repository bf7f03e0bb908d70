/** Files of Berkeley DB's hash access method, read as a whole: what sasldb keeps its secrets in. */

const magic = 0x061561;
const magicAt = 12;
const pageSizeAt = 20;
const encryptionAt = 24;
const pageHeaderBytes = 26;
const nextPageAt = 16;
const entryCountAt = 20;
const lengthAt = 22;
const pageTypeAt = 25;

const unsortedHashPage = 2;
const hashPage = 13;
const overflowPage = 7;

/** Types of entries: bytes in place, and bytes on pages of their own. */
const inPlace = 1;
const offPage = 3;

type Order = 'LE' | 'BE';

const uint32 = (bytes: Buffer, at: number, order: Order): number =>
  order === 'LE' ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
const uint16 = (bytes: Buffer, at: number, order: Order): number =>
  order === 'LE' ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);

/** Key, as latin1, → value. Undefined: it is no such file, or none that can be read. */
export function readBerkeleyHash(file: Buffer): ReadonlyMap<string, Buffer> | undefined {
  try {
    return entriesOf(file);
  } catch (error) {
    // an offset that leads out of the file
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function entriesOf(file: Buffer): ReadonlyMap<string, Buffer> | undefined {
  const orders: readonly Order[] = ['LE', 'BE'];
  const order = orders.find((one) => uint32(file, magicAt, one) === magic);
  if (order === undefined || file[encryptionAt] !== 0) return undefined;
  const pageSize = uint32(file, pageSizeAt, order);
  if (pageSize < 512) return undefined;
  const entries = new Map<string, Buffer>();
  for (let start = pageSize; start + pageSize <= file.length; start += pageSize) {
    const page = file.subarray(start, start + pageSize);
    if (page[pageTypeAt] !== hashPage && page[pageTypeAt] !== unsortedHashPage) continue;
    const items = itemsOf(page, order).map((item) => contentOf(item, { file, pageSize, order }));
    for (let at = 0; at + 1 < items.length; at += 2) {
      const [key, value] = items.slice(at, at + 2);
      if (key !== undefined && value !== undefined) entries.set(key.toString('latin1'), value);
    }
  }
  return entries;
}

/** Keys and values in turn. They fill the page from its end: each item ends where the one before begins. */
function itemsOf(page: Buffer, order: Order): readonly Buffer[] {
  let end = page.length;
  return Array.from({ length: uint16(page, entryCountAt, order) }, (_none, index) => {
    const start = uint16(page, pageHeaderBytes + 2 * index, order);
    const item = page.subarray(start, end);
    end = start;
    return item;
  });
}

interface Place {
  readonly file: Buffer;
  readonly pageSize: number;
  readonly order: Order;
}

/** undefined: of a kind that sasldb never writes. */
function contentOf(item: Buffer, { file, pageSize, order }: Place): Buffer | undefined {
  if (item[0] === inPlace) return item.subarray(1);
  if (item[0] !== offPage) return undefined;
  const parts: Buffer[] = [];
  for (let number = uint32(item, 4, order); number !== 0 && parts.length * pageSize <= file.length;) {
    const page = file.subarray(number * pageSize, (number + 1) * pageSize);
    if (page[pageTypeAt] !== overflowPage) return undefined;
    parts.push(page.subarray(pageHeaderBytes, pageHeaderBytes + uint16(page, lengthAt, order)));
    number = uint32(page, nextPageAt, order);
  }
  return Buffer.concat(parts);
}
