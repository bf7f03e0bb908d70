import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

interface Peer {
  readonly server: Server;
  readonly port: number;
  /** What was asked, in order. */
  readonly questions: string[];
  connections: number;
  /** At the same time. */
  mostConnections: number;
}

/** A server that answers each piece that it gets; undefined: it hangs up. */
async function serve(answer: (question: string) => string | undefined): Promise<Peer> {
  const peer = { questions: new Array<string>(), connections: 0, mostConnections: 0 };
  let open = 0;
  const server = createServer((socket: Socket) => {
    peer.connections += 1;
    open += 1;
    peer.mostConnections = Math.max(peer.mostConnections, open);
    socket.on('close', () => (open -= 1));
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      peer.questions.push(bytes.toString());
      const reply = answer(bytes.toString());
      if (reply === undefined) socket.destroy();
      else socket.write(reply);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return Object.assign(peer, { server, port: typeof address === 'object' && address !== null ? address.port : 0 });
}

const netstring = (text: string): string => `${Buffer.byteLength(text)}:${text},`;

describe('socketmap tables', () => {
  const replies: Readonly<Record<string, string>> = {
    good: netstring('OK välue'),
    none: netstring('NOTFOUND '),
    temp: netstring('TEMP busy'),
    perm: netstring('PERM no'),
    odd: netstring('HELLO x'),
    bad: 'x:abc,',
    open: '5:OK abc;',
    huge: '200000:',
  };
  let peer: Peer;
  const table = (): string => `socketmap:inet:127.0.0.1:${peer.port}:map`;
  before(async () => {
    peer = await serve((question) => replies[/ (.*),$/.exec(question)?.[1] ?? '']);
  });
  after(() => peer.server.close());

  it('ask in netstrings, over one connection', async () => {
    using bench = new Workbench();
    assert.equal(await bench.value(table(), 'good'), 'välue');
    assert.deepEqual(await bench.ask(table(), 'none'), { kind: 'missing' });
    assert.equal(await bench.value(table(), 'good'), 'välue');
    assert.deepEqual(peer.questions, ['8:map good,', '8:map none,', '8:map good,']);
    assert.equal(peer.connections, 1);
  });

  it('fail at once when the server hangs up instead of answering', async () => {
    using bench = new Workbench();
    assert.equal(await bench.value(table(), 'good'), 'välue');
    assert.equal((await bench.ask(table(), 'gone')).kind, 'failed');
  });

  it('tell what the server says it cannot do', async () => {
    using bench = new Workbench();
    for (const key of ['temp', 'perm', 'odd']) assert.equal((await bench.ask(table(), key)).kind, 'failed');
    assert.deepEqual(bench.warnings, [
      `${table()} socketmap server temporary error: busy`,
      `${table()} socketmap server permanent error: no`,
      `${table()} socketmap server unknown error: x`,
    ]);
  });

  it('fail when the reply is none', async () => {
    using bench = new Workbench();
    for (const key of ['bad', 'open', 'huge', 'hang up']) assert.equal((await bench.ask(table(), key)).kind, 'failed');
    assert.deepEqual(bench.warnings, [
      `table ${table()} lookup error: input format error`,
      `table ${table()} lookup error: input format error`,
      `table ${table()} lookup error: input exceeds size limit`,
      `table ${table()} lookup error: unexpected disconnect`,
    ]);
  });

  it('fail when there is no such port', async () => {
    using bench = new Workbench();
    assert.equal(bench.open('socketmap:inet:127.0.0.1:99999:map').unavailable, '99999: no such port');
    assert.equal((await bench.ask('socketmap:inet:127.0.0.1:99999:map', 'k')).kind, 'failed');
  });

  it('fail when nobody listens', async () => {
    using bench = new Workbench();
    assert.equal((await bench.ask('socketmap:unix:/nonexistent:map', 'x')).kind, 'failed');
    assert.deepEqual(bench.warnings, [
      'connect to /nonexistent: No such file or directory',
      'table socketmap:unix:/nonexistent:map lookup error: No such file or directory',
    ]);
  });
});

describe('a table with many questions at once', () => {
  it('has a hundred connections, and an answer to each', async () => {
    const peer = await serve((question) => netstring(`OK ${question.slice(question.indexOf(' ') + 1, -1)}`));
    using bench = new Workbench();
    const table = bench.open(`socketmap:inet:127.0.0.1:${peer.port}:map`);
    const keys = Array.from({ length: 500 }, (_, i) => `key${i}`);
    const answers = await Promise.all(keys.map(async (key) => table.lookup(key)));
    assert.deepEqual(
      answers.map((answer) => answer.kind === 'found' && answer.value),
      keys,
    );
    assert.equal(peer.mostConnections, 100);
    peer.server.close();
  });
});

describe('tcp tables', () => {
  const replies: Readonly<Record<string, string>> = {
    good: '200 v%C3%A4l%20ue\n',
    none: '500 no\n',
    temp: '400 later\n',
    odd: '300 x\n',
    bad: '200 a%\n',
  };
  let peer: Peer;
  const table = (): string => `tcp:127.0.0.1:${peer.port}`;
  before(async () => {
    peer = await serve((question) => replies[/^get (.*)\n$/.exec(question)?.[1] ?? ''] ?? '500 no\n');
  });
  after(() => peer.server.close());

  it('ask in lines, with what is no plain character in hexadecimal', async () => {
    using bench = new Workbench();
    assert.equal(await bench.value(table(), 'good'), 'väl ue');
    assert.deepEqual(await bench.ask(table(), 'A b%ä'), { kind: 'missing' });
    assert.deepEqual(peer.questions, ['get good\n', 'get A%20b%25%C3%A4\n']);
  });

  it('fail with a reply that is none', async () => {
    using bench = new Workbench();
    for (const key of ['temp', 'odd', 'bad']) assert.equal((await bench.ask(table(), key)).kind, 'failed');
    assert.deepEqual(bench.warnings, [
      `read TCP map reply from 127.0.0.1:${peer.port}: bad status code: 300 x`,
      `read TCP map reply from 127.0.0.1:${peer.port}: malformed reply: 200 a%`,
    ]);
  });
});
