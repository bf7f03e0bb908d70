import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Duplex, duplexPair } from 'node:stream';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TestServer } from './conversation.ts';

describe('a client that takes no replies', () => {
  let mail: TestServer;
  let client: Duplex;
  let served: Duplex;

  beforeEach(async () => {
    mail = new TestServer({ mainCf: 'smtpd_timeout = 1s\nsmtpd_junk_command_limit = 100000' });
    [client, served] = duplexPair();
    const ends = { remoteAddress: '192.0.2.1', remotePort: 4000, localAddress: '192.0.2.9', localPort: 25 };
    mail.server.accept(Object.assign(served, ends, { setNoDelay: () => undefined }));
    await once(client, 'data');
    client.write('EHLO c.example\r\n');
    await once(client, 'data');
    client.pause();
  });
  afterEach(() => {
    client.destroy();
    mail.remove();
  });

  it('is not heard before it reads, and is gone when it does not', async () => {
    let waiting = 0;
    const closed = once(served, 'close');
    for (let turn = 0; turn < 40; turn += 1) {
      client.write('RSET\r\n'.repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 1));
      waiting = served.writableLength;
    }
    assert.ok(waiting < 100_000, `${waiting} bytes wait`);
    await closed;
    assert.ok(
      mail.log.some((line) => line.includes('timeout after RSET from ')),
      mail.log.join('\n'),
    );
  });

  it('holds no connection once its session is over', async () => {
    const closed = once(served, 'close');
    // the last words wait behind what fills all buffers
    served.write(Buffer.alloc(1 << 20, 'x'));
    client.write('QUIT\r\n');
    // as a connection of the network would
    const alive = setInterval(() => undefined, 1000);
    await closed;
    clearInterval(alive);
    assert.equal(mail.server.sessionCount, 0);
  });
});
