import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readBerkeleyHash } from '../../../src/sasl/berkeley-hash.ts';

const file = readFileSync(join(import.meta.dirname, 'sasldb2.db'));

/** A file of one page with entries, and what follows; in the other byte order than that of the one above. */
function fileOf(items: readonly Buffer[], more: readonly Buffer[] = []): Buffer {
  const header = Buffer.alloc(512);
  header.writeUInt32BE(0x061561, 12);
  header.writeUInt32BE(512, 20);
  const page = Buffer.alloc(512);
  page[25] = 13;
  page.writeUInt16BE(items.length, 20);
  let end = page.length;
  for (const [at, item] of items.entries()) {
    end -= item.length;
    item.copy(page, end);
    page.writeUInt16BE(end, 26 + 2 * at);
  }
  return Buffer.concat([header, page, ...more]);
}

function overflow(next: number, text: string): Buffer {
  const page = Buffer.alloc(512);
  page[25] = 7;
  page.writeUInt32BE(next, 16);
  page.writeUInt16BE(text.length, 22);
  page.write(text, 26);
  return page;
}

describe('a file of Berkeley DB', () => {
  it('has keys and values', () => {
    const entries = [...(readBerkeleyHash(file) ?? [])].map(([key, value]) => [key, value.toString()]);
    assert.deepEqual(entries, [
      ['alice\0mail.example.com\0userPassword', 'secret'],
      ['bob\0example.org\0userPassword', 'secret'],
    ]);
  });

  it('may have long values on pages of their own, and either byte order', () => {
    const away = Buffer.alloc(12);
    away[0] = 3;
    away.writeUInt32BE(2, 4);
    const whole = fileOf([Buffer.from('\x01key'), away], [overflow(3, 'ab'), overflow(0, 'cd')]);
    assert.equal(readBerkeleyHash(whole)?.get('key')?.toString(), 'abcd');
    // a circle ends, too
    const circle = fileOf([Buffer.from('\x01key'), away], [overflow(2, 'ab')]);
    assert.ok(readBerkeleyHash(circle)?.has('key'));
  });

  it('is none when it is something else, encrypted or damaged', () => {
    assert.equal(readBerkeleyHash(Buffer.alloc(0)), undefined);
    assert.equal(readBerkeleyHash(Buffer.alloc(4096, 'x')), undefined);
    const encrypted = Buffer.from(file);
    encrypted[24] = 1;
    assert.equal(readBerkeleyHash(encrypted), undefined);
    const damaged = fileOf([Buffer.from('\x01key'), Buffer.from('\x01value')]);
    damaged.writeUInt16BE(0xffff, 512 + 20);
    assert.equal(readBerkeleyHash(damaged), undefined);
    assert.equal(readBerkeleyHash(file.subarray(0, 5000))?.size, 0);
  });
});
