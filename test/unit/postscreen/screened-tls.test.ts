import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { it } from 'node:test';
import { type MailEvent, renderPostfixText } from '#events';
import { ClientStream } from '../../../src/postscreen/client-stream.ts';
import { secureClient } from '../../../src/postscreen/screened-tls.ts';
import { withTls } from '../tls/handshake-bench.ts';

it('no handshake begins with ciphers of a grade that is none', () =>
  withTls('smtpd_tls_ciphers = bogus', async ({ tls: server }) => {
    assert.ok(server !== undefined);
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const arrival = new Promise<Socket>((done) => listener.once('connection', done));
    const client = connect(typeof address === 'object' && address !== null ? address.port : 0, '127.0.0.1');
    const log: string[] = [];
    const stream = new ClientStream(await arrival);
    const isSecured = await secureClient(
      stream,
      { server, events: { emit: (event: MailEvent): void => void log.push(renderPostfixText(event)) } },
      {
        client: { address: '192.0.2.1', port: '4000' },
        text: '[192.0.2.1]:4000',
        timeoutMs: 10_000,
        invite: async () => stream.write('220 2.0.0 Ready to start TLS\r\n'),
      },
    );
    assert.equal(isSecured, false);
    let heard = '';
    for await (const chunk of client) heard += String(chunk);
    assert.equal(heard, '220 2.0.0 Ready to start TLS\r\n');
    assert.deepEqual(log, [
      'CONNECT from [192.0.2.1]:4000',
      'warning: [192.0.2.1]:4000: invalid cipher grade: "bogus"',
      'TLS handshake failed for service=smtpd peer=[192.0.2.1]:4000',
      'DISCONNECT [192.0.2.1]:4000',
    ]);
    listener.close();
  }));
