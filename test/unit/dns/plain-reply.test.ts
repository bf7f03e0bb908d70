import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode, encode } from 'dns-packet';
import type { DnsType } from '#dns';
import { readReply } from '../../../src/dns/exchange.ts';
import { plainReply } from '../../../src/dns/plain-reply.ts';

const id = 0x1234;
const name = (text: string): Buffer =>
  Buffer.concat([
    ...text.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ]);
const uint16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const record = (type: number, data: Buffer, own = 'a.example', inClass = 1): Buffer =>
  Buffer.concat([name(own), uint16(type), uint16(inClass), Buffer.from([0, 0, 0, 9]), uint16(data.length), data]);
const mx = (preference: number, host: string): Buffer => Buffer.concat([uint16(preference), name(host)]);

interface Sections {
  readonly answers?: readonly Buffer[];
  readonly authorities?: readonly Buffer[];
  readonly additionals?: readonly Buffer[];
  readonly flags?: number;
  readonly hasQuestion?: boolean;
}

function reply(type: DnsType, sections: Sections): Buffer {
  const { answers = [], authorities = [], additionals = [], flags = 0x8000, hasQuestion = true } = sections;
  const question = encode({ id, questions: [{ type, name: 'a.example' }] }).subarray(12);
  const counts = [hasQuestion ? 1 : 0, answers.length, authorities.length, additionals.length];
  const head = [id, flags, ...counts].map(uint16);
  return Buffer.concat([...head, ...(hasQuestion ? [question] : []), ...answers, ...authorities, ...additionals]);
}

const read = (type: DnsType, sections: Sections) => readReply(reply(type, sections), id, { name: 'a.example', type });

/** Data of the answers that are left. */
function answers(type: DnsType, sections: Sections): unknown {
  const heard = read(type, sections);
  if (heard?.kind !== 'reply') return heard?.kind;
  return heard.packet.answers?.map((one) => ('data' in one ? one.data : undefined));
}

const good = record(15, mx(10, 'mx.example'));
const goodData = { preference: 10, exchange: 'mx.example' };

describe('a reply without what nobody asked for', () => {
  it('holds the records that can be read beside those that can not', () => {
    for (const bad of [
      record(15, Buffer.from([0])),
      record(15, Buffer.from([0, 5, 9, 65])),
      record(15, Buffer.concat([uint16(5), Buffer.from([0xff, 0xff])])),
      record(15, Buffer.concat([mx(5, 'mx.example'), Buffer.from([1])])),
      record(46, Buffer.alloc(3)),
    ]) {
      assert.deepEqual(answers('MX', { answers: [bad, good] }), [goodData]);
      assert.deepEqual(answers('MX', { answers: [good, bad] }), [goodData]);
    }
    const a = (...bytes: number[]) => record(1, Buffer.from(bytes));
    assert.deepEqual(answers('A', { answers: [a(192, 0, 2), a(192, 0, 2, 1), a(192, 0, 2, 1, 1)] }), ['192.0.2.1']);
    const plain = plainReply(reply('A', { answers: [a(192, 0, 2)] }), 'A');
    assert.equal(plain?.hasUnreadable, true);
    assert.deepEqual(plain?.complaints, ['extract_answer: bad address length: 3']);
  });

  it('does not care what stands behind the answer', () => {
    for (const odd of [
      record(257, Buffer.alloc(0)),
      record(35, Buffer.from([0, 1])),
      record(41, Buffer.from([0, 8, 0])),
    ]) {
      assert.deepEqual(answers('MX', { answers: [good], additionals: [odd] }), [goodData]);
      assert.deepEqual(answers('MX', { answers: [good], authorities: [odd] }), [goodData]);
    }
    assert.deepEqual(answers('MX', { authorities: [record(6, Buffer.from([0, 0]))] }), []);
    const soa = Buffer.concat([name('ns.example'), name('root.example'), Buffer.alloc(16), Buffer.from([0, 0, 0, 7])]);
    const heard = read('MX', { authorities: [record(46, Buffer.alloc(1)), record(6, soa)] });
    const [found] = (heard?.kind === 'reply' ? heard.packet.authorities : undefined) ?? [];
    assert.equal(found?.type === 'SOA' && found.data.minimum, 7);
  });

  it('has names written out, however they go on elsewhere in the frame', () => {
    const frame = encode({
      type: 'response',
      id,
      questions: [{ type: 'MX', name: 'a.example' }],
      answers: [{ type: 'MX', name: 'a.example', data: { preference: 1, exchange: 'mx.a.example' } }],
    });
    // the last 9 bytes and the root are those of the question's name
    const short = Buffer.concat([frame.subarray(0, frame.length - 11), Buffer.from([0xc0, 12])]);
    short.writeUInt16BE(short.readUInt16BE(short.length - 9) - 9, short.length - 9);
    const plain = plainReply(short, 'MX');
    assert.ok(plain !== undefined);
    assert.deepEqual(
      decode(plain.frame).answers?.map((one) => 'data' in one && one.data),
      [{ preference: 1, exchange: 'mx.a.example' }],
    );
  });

  it('is broken where it ends too early or is of another class, unless it says that it is cut', () => {
    const tooMany = reply('MX', { answers: [good] });
    tooMany.writeUInt16BE(2, 6);
    assert.equal(readReply(tooMany, id, { name: 'a.example', type: 'MX' })?.kind, 'malformed');
    assert.equal(answers('MX', { answers: [record(15, mx(1, 'mx.example'), 'a.example', 3)] }), 'malformed');
    tooMany.writeUInt16BE(0x8200, 2);
    assert.equal(readReply(tooMany, id, { name: 'a.example', type: 'MX' })?.kind, 'reply');
  });

  it('is nobody’s without a question, unless it is a refusal', () => {
    assert.equal(read('MX', { answers: [good], hasQuestion: false }), undefined);
    assert.equal(read('MX', { hasQuestion: false, flags: 0x8001 })?.kind, 'reply');
  });
});
