import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { openListener } from '../../../src/native/listeners.ts';

/** Where a listener for an address listens. */
async function placeOf(address: string): Promise<string> {
  const opened = openListener(address, 0, 1, false);
  assert.ok(opened.kind === 'ok');
  const server = createServer().listen({ fd: opened.fd });
  await once(server, 'listening');
  const place = server.address();
  server.close();
  await once(server, 'close');
  return typeof place === 'string' || place === null ? '' : `${place.family} ${place.address}`;
}

const hasV6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

describe('a listening socket', () => {
  it('is opened at an address of IPv4', async () => {
    assert.equal(await placeOf('127.0.0.2'), 'IPv4 127.0.0.2');
    assert.equal(await placeOf('0.0.0.0'), 'IPv4 0.0.0.0');
  });

  it('is opened at an address of IPv6', { skip: hasV6 ? false : 'needs IPv6' }, async () => {
    assert.equal(await placeOf('0:0::1'), 'IPv6 ::1');
    assert.equal(await placeOf('::'), 'IPv6 ::');
  });

  it('is not opened where no address of this machine is', () => {
    const failed = (reason: string): unknown => ({ kind: 'failed', reason });
    assert.deepEqual(openListener('192.0.2.1', 0, 1, false), failed('Cannot assign requested address'));
    assert.deepEqual(openListener('mx.example.org', 0, 1, false), failed('mx.example.org is no address'));
  });
});
