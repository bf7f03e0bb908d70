import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { type Answer, decode, encode, TRUNCATED_RESPONSE } from 'dns-packet';
import { createResolver, filterReplies } from '#dns';

interface Reply {
  readonly rcode?: number;
  readonly answers?: Answer[];
  readonly truncated?: boolean;
  readonly raw?: (query: Buffer) => Buffer[];
  readonly silent?: boolean;
}
type Zone = (name: string, type: string, transport: 'udp' | 'tcp') => Reply;

/** A port that is free for UDP may be somebody's for TCP: then the next one is tried. */
async function listenOnBoth(tcp: Server): Promise<{ readonly udp: Socket; readonly port: number }> {
  for (;;) {
    const udp = createSocket('udp4');
    await new Promise<void>((done) => udp.bind(0, '127.0.0.1', done));
    const { port } = udp.address();
    const isOurs = await new Promise<boolean>((done) => {
      tcp.once('error', () => done(false));
      tcp.listen(port, '127.0.0.1', () => done(true));
    });
    if (isOurs) return { udp, port };
    await new Promise<void>((done) => udp.close(done));
  }
}

/** A name server on a port of its own; counts the questions it heard. `isLate`: only the first is answered, when the second comes. */
async function serve(zone: Zone, isLate = false) {
  const asked: string[] = [];
  const frames = (query: Buffer, transport: 'udp' | 'tcp'): Buffer[] => {
    const packet = decode(query);
    const question = packet.questions?.[0];
    assert.ok(question !== undefined);
    asked.push(`${transport} ${question.name} ${question.type}`);
    const reply = zone(question.name, question.type, transport);
    if (reply.silent === true) return [];
    if (reply.raw !== undefined) return reply.raw(query);
    return [
      encode({
        type: 'response',
        id: packet.id ?? 0,
        flags: (reply.rcode ?? 0) | (reply.truncated === true ? TRUNCATED_RESPONSE : 0),
        questions: [question],
        answers: reply.answers ?? [],
      }),
    ];
  };
  const tcp = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      for (const frame of frames(chunk.subarray(2), 'tcp')) {
        const head = Buffer.alloc(2);
        head.writeUInt16BE(frame.length);
        socket.write(Buffer.concat([head, frame]));
      }
    });
  });
  const { udp, port } = await listenOnBoth(tcp);
  const unanswered: (() => void)[] = [];
  udp.on('message', (query, peer) => {
    const answer = (): void => {
      for (const frame of frames(query, 'udp')) udp.send(frame, peer.port, peer.address);
    };
    if (!isLate) answer();
    else if (unanswered.push(answer) === 2) unanswered[0]?.();
  });
  return {
    asked,
    server: { address: '127.0.0.1', port },
    async [Symbol.asyncDispose]() {
      await new Promise<void>((done) => udp.close(done));
      await new Promise((done) => tcp.close(done));
    },
  };
}

const a = (name: string, address: string): Answer => ({ type: 'A', name, ttl: 60, data: address });
const mx = (name: string, preference: number, exchange: string): Answer => ({
  type: 'MX',
  name,
  ttl: 60,
  data: { preference, exchange },
});

describe('a resolver', () => {
  it('gives the records of a name', async () => {
    await using zone = await serve((name) => ({ answers: [a(name, '192.0.2.1'), a(name, '192.0.2.2')] }));
    const answer = await createResolver({ servers: [zone.server] }).lookup('host.example', 'A');
    assert.equal(answer.kind, 'ok');
    assert.deepEqual(answer.kind === 'ok' && answer.records.map((record) => 'address' in record && record.address), [
      '192.0.2.1',
      '192.0.2.2',
    ]);
  });

  it('tells no such name, no data and try again apart, in Postfix words', async () => {
    await using zone = await serve((name) => ({ rcode: name.startsWith('none') ? 3 : name.startsWith('bad') ? 2 : 0 }));
    const resolver = createResolver({ servers: [zone.server] });
    const text = 'Host or domain name not found. Name service error for name=';
    assert.deepEqual(await resolver.lookup('none.example', 'MX'), {
      kind: 'noName',
      reason: `${text}none.example type=MX: Host not found`,
    });
    assert.deepEqual(await resolver.lookup('empty.example', 'A'), {
      kind: 'noData',
      reason: `${text}empty.example type=A: Host found but no data record of requested type`,
    });
    assert.deepEqual(await resolver.lookup('bad.example', 'A'), {
      kind: 'tryAgain',
      reason: `${text}bad.example type=A: Host not found, try again`,
    });
  });

  it('follows a chain of aliases and gives up on a loop', async () => {
    await using zone = await serve((name) => {
      if (name === 'loop.example') return { answers: [{ type: 'CNAME', name, ttl: 1, data: 'loop.example' }] };
      const step = Number(name.split('.')[0]);
      if (step > 0) return { answers: [{ type: 'CNAME', name, ttl: 1, data: `${step - 1}.example` }] };
      return { answers: [a(name, '192.0.2.9')] };
    });
    const resolver = createResolver({ servers: [zone.server] });
    const answer = await resolver.lookup('4.example', 'A');
    assert.equal(answer.kind === 'ok' && answer.canonicalName, '0.example');
    assert.deepEqual(await resolver.lookup('loop.example', 'A'), {
      kind: 'noName',
      reason: 'Name server loop for loop.example',
    });
  });

  it('asks over TCP when the reply is truncated', async () => {
    await using zone = await serve((name, _type, transport) =>
      transport === 'udp' ? { truncated: true } : { answers: [a(name, '192.0.2.1')] },
    );
    const answer = await createResolver({ servers: [zone.server] }).lookup('big.example', 'A');
    assert.equal(answer.kind, 'ok');
    assert.deepEqual(zone.asked, ['udp big.example A', 'tcp big.example A']);
  });

  it('knows a null MX, also beside others', async () => {
    await using zone = await serve((name) => ({
      answers: name.startsWith('null') ? [mx(name, 0, '.')] : [mx(name, 0, '.'), mx(name, 5, 'mx.example')],
    }));
    const resolver = createResolver({ servers: [zone.server] });
    for (const name of ['null.example', 'both.example']) {
      assert.deepEqual(await resolver.lookup(name, 'MX'), {
        kind: 'nullMx',
        reason: `Domain ${name} does not accept mail (nullMX)`,
      });
    }
  });

  it('does not believe a name that can not be a host, and warns', async () => {
    await using zone = await serve((name) => ({ answers: [mx(name, 10, 'bad host!.example')] }));
    const warnings: string[] = [];
    const resolver = createResolver({ servers: [zone.server], warn: (text) => warnings.push(text) });
    assert.equal((await resolver.lookup('odd.example', 'MX')).kind, 'invalid');
    assert.deepEqual(warnings, [
      'malformed domain name in resource data of MX record for odd.example: bad host!.example',
    ]);
  });

  it('waits over a reply with a wrong id or another question', async () => {
    await using zone = await serve((name) => ({
      raw: (query) => {
        const reply = (id: number, asked: string): Buffer =>
          encode({
            type: 'response',
            id,
            questions: [{ type: 'A', name: asked }],
            answers: [a(asked, asked === name ? '192.0.2.1' : '192.0.2.66')],
          });
        const id = query.readUInt16BE(0);
        return [reply(id ^ 1, name), reply(id, 'other.example'), reply(id, name)];
      },
    }));
    const answer = await createResolver({ servers: [zone.server] }).lookup('right.example', 'A');
    assert.ok(answer.kind === 'ok' && answer.records[0] !== undefined && 'address' in answer.records[0]);
    assert.equal(answer.records[0].address, '192.0.2.1');
  });

  it('asks the next server when one is silent or refuses', async () => {
    await using silent = await serve(() => ({ silent: true }));
    await using refusing = await serve(() => ({ rcode: 5 }));
    await using good = await serve((name) => ({ answers: [a(name, '192.0.2.1')] }));
    const servers = [silent.server, refusing.server, good.server];
    const answer = await createResolver({ servers, timeoutMs: 50 }).lookup('x.example', 'A');
    assert.equal(answer.kind, 'ok');
  });

  it('takes the answer of a server that was given up on', async () => {
    await using slow = await serve((name) => ({ answers: [a(name, '192.0.2.1')] }), true);
    const answer = await createResolver({ servers: [slow.server], timeoutMs: 300 }).lookup('x.example', 'A');
    assert.equal(answer.kind, 'ok');
  });

  it('ends every wait with try again, also that for a turn', async () => {
    await using zone = await serve(() => ({ silent: true }));
    const resolver = createResolver({ servers: [zone.server], timeoutMs: 30, attempts: 1, concurrency: 1 });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((name) => resolver.lookup(`${name}.example`, 'A')));
    assert.deepEqual(
      answers.map((answer) => answer.kind),
      ['tryAgain', 'tryAgain', 'tryAgain', 'tryAgain'],
    );
  });

  it('asks once for equal questions under way', async () => {
    await using zone = await serve((name) => ({ answers: [a(name, '192.0.2.1')] }));
    const resolver = createResolver({ servers: [zone.server] });
    await Promise.all([resolver.lookup('same.example', 'A'), resolver.lookup('SAME.example', 'A')]);
    assert.equal(zone.asked.length, 1);
  });

  it('takes rubbish for a temporary failure', async () => {
    await using zone = await serve(() => ({
      raw: (query) => [
        Buffer.concat([
          query.subarray(0, 2),
          Buffer.from([0x84, 0x80, 0, 1, 0, 9, 0, 0, 0, 0]),
          Buffer.from('rubbish and no more'),
        ]),
      ],
    }));
    const answer = await createResolver({ servers: [zone.server], attempts: 1 }).lookup('x.example', 'MX');
    assert.equal(answer.kind, 'tryAgain');
  });

  it('refuses to ask for what is no name', async () => {
    const answer = await createResolver({ servers: [] }).lookup('no name', 'A');
    assert.deepEqual(answer, {
      kind: 'noName',
      reason: 'Name service error for no name: invalid host or domain name',
    });
  });
});

describe('a reply filter', () => {
  it('takes records out, and tells of it', async () => {
    await using zone = await serve((name) => ({ answers: [a(name, '192.0.2.1'), a(name, '192.0.2.2')] }));
    const notes: string[] = [];
    const filter = (bad: string) =>
      filterReplies(
        createResolver({ servers: [zone.server] }),
        {
          parameter: 'smtp_dns_reply_filter',
          tables: {
            lookup: (key) => (key.endsWith(bad) ? { kind: 'found', value: 'ignore' } : { kind: 'missing' }),
          },
        },
        { note: (text) => notes.push(text), warn: (text) => notes.push(text) },
      );
    const some = await filter(' 192.0.2.1').lookup('x.example', 'A');
    assert.equal(some.kind === 'ok' && some.records.length, 1);
    assert.deepEqual(notes, ['ignoring DNS RR: x.example. 60 IN A 192.0.2.1']);
    assert.deepEqual(await filter('').lookup('x.example', 'A'), {
      kind: 'filtered',
      reason: 'Error looking up name=x.example type=A: DNS reply filter drops all results',
    });
  });
});
