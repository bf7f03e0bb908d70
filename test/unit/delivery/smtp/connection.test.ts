import assert from 'node:assert/strict';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { textOf } from '#message';
import { Turn } from '#smtp';
import { Connection } from '../../../../src/delivery/smtp/connection.ts';

function connect(socket: Socket): Connection {
  return new Connection(socket, {
    endpoint: { host: 'mx.example', address: '192.0.2.1', port: 25 },
    replyLengthLimit: 1000,
    replyFilter: undefined,
    warn: () => undefined,
    onReplaced: () => undefined,
    now: Date.now,
    perRequestDeadline: false,
    transcript: undefined,
    turn: new Turn(),
  });
}

const say = (socket: Socket, text: string): boolean => socket.emit('data', Buffer.from(text));

describe('a connection to a server', () => {
  it('tells of a reply when all that came in a turn has been read', async () => {
    const socket = new Socket();
    const heard = connect(socket).next(1000);
    assert.ok(heard instanceof Promise);
    let isTold = false;
    void heard.then(() => (isTold = true));
    say(socket, '250 Ok\r\n');
    await Promise.resolve();
    assert.equal(isTold, false);
    await setImmediate();
    assert.equal(isTold, true);
  });

  it('gives replies that came in the turn of its end, in their order, before the end', async () => {
    const socket = new Socket();
    const connection = connect(socket);
    const first = connection.next(1000);
    say(socket, '250 one\r\n250 two\r\n');
    socket.emit('end');
    const kinds = [await first, await connection.next(1000), await connection.next(1000)].map((each) =>
      each.kind === 'reply' ? each.reply.text : each.kind,
    );
    assert.deepEqual(kinds, ['250 one', '250 two', 'lost']);
  });

  it('forgets what was said before TLS, also in the turn that TLS begins in', async () => {
    const socket = new Socket();
    const secured = new Socket();
    const connection = connect(socket);
    const first = connection.next(1000);
    say(socket, '220 go ahead\r\n250 injected\r\n');
    await first;
    say(socket, '250 injected, too\r\n');
    connection.adopt(secured);
    const next = connection.next(1000);
    say(secured, '250 real\r\n');
    const heard = await next;
    assert.equal(heard.kind === 'reply' ? heard.reply.text : heard.kind, '250 real');
  });

  it('says addresses with the bytes they came with', () => {
    const socket = new Socket();
    const written: Buffer[] = [];
    socket._write = (chunk: Buffer, _encoding, done): void => {
      written.push(chunk);
      done();
    };
    const connection = connect(socket);
    connection.command(`RCPT TO:<${textOf(Buffer.from('j\xfcrg', 'latin1'))}@example.com>`);
    connection.release();
    assert.equal(Buffer.concat(written).toString('latin1'), 'RCPT TO:<j\xfcrg@example.com>\r\n');
  });

  it('prefers a reply that is here to its deadline', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const socket = new Socket();
    const heard = connect(socket).next(1000);
    say(socket, '250 Ok\r\n');
    t.mock.timers.tick(1000);
    assert.equal((await heard).kind, 'reply');
  });
});
