import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { keyExchangeOf } from '../../../src/tls/key-exchange.ts';

const der = (tag: number, ...content: readonly number[]): readonly number[] => [tag, content.length, ...content];
/** A session with a group, between what else is in one. */
const session = (...group: readonly number[]): Buffer =>
  Buffer.from(der(0x30, ...der(0x02, 1), ...der(0x04, 0x13, 0x02), ...der(0xb3, ...der(0x02, ...group))));

describe('the key exchange of a session', () => {
  it('is known by the number of its group', () => {
    assert.deepEqual(keyExchangeOf(session(0x1d)), { name: 'X25519' });
    assert.deepEqual(keyExchangeOf(session(0x17)), { name: 'ECDHE', curve: 'prime256v1' });
    assert.deepEqual(keyExchangeOf(session(0x01, 0x00)), { name: 'DHE', bits: 2048 });
    assert.deepEqual(keyExchangeOf(session(0x11, 0xec)), { name: 'X25519MLKEM768' });
  });

  it('is unknown when the group has no name here, or is not told', () => {
    assert.equal(keyExchangeOf(session(0x7f)), undefined);
    assert.equal(keyExchangeOf(session()), undefined);
    assert.equal(keyExchangeOf(Buffer.from(der(0x30, ...der(0x02, 1)))), undefined);
    assert.equal(keyExchangeOf(undefined), undefined);
  });

  it('is looked for in any bytes without harm', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(30)).map(([noise, at]) => {
        const whole = session(0x1d);
        whole.set(noise.subarray(0, whole.length - Math.min(at, whole.length)), Math.min(at, whole.length));
        return whole;
      }),
    );
    fc.assert(fc.property(bytes, (noise) => void keyExchangeOf(Buffer.from(noise))));
  });
});
