import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientOf, clientText } from '../../../src/smtpd/session-state.ts';

describe('a client', () => {
  it('is told by the address of its connection', () => {
    const socket = { remoteAddress: '::ffff:192.0.2.1', remotePort: 4000, localAddress: '::1', localPort: 25 };
    const client = clientOf(socket);
    assert.equal(clientText(client), 'unknown[192.0.2.1]');
    assert.equal(client.port, '4000');
  });

  it('that has reset its connection before it was looked at is unknown', () => {
    const socket = { remoteAddress: undefined, remotePort: undefined, localAddress: '192.0.2.9', localPort: 25 };
    const client = clientOf(socket);
    assert.equal(clientText(client), 'unknown[unknown]');
    assert.equal(client.port, 'unknown');
  });
});
