import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, it } from 'node:test';
import { listenOn } from '#master';

describe('a server that listens', () => {
  it('outlives connections that it can not take, and tells of each', async () => {
    const warnings: string[] = [];
    const server = createServer((socket) => socket.end('hello'));
    await listenOn(server, { host: '127.0.0.1', port: 0 }, (text) => warnings.push(text));
    server.emit('error', new Error('accept EMFILE'));
    server.emit('error', new Error('accept ENFILE'));
    assert.deepEqual(warnings, ['accept connection: accept EMFILE', 'accept connection: accept ENFILE']);
    const address = server.address();
    const client = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
    assert.equal(String((await once(client, 'data'))[0]), 'hello');
    server.close();
    await once(server, 'close');
  });

  it('is none where the place is taken', async () => {
    const server = createServer();
    await assert.rejects(
      listenOn(server, { path: '/nowhere/at/all' }, () => undefined),
      /listen/,
    );
  });
});
