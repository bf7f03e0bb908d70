import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { DovecotServer } from '#sasl';

const handshake =
  'VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tCRAM-MD5\tdictionary\tactive\nMECH\tANONYMOUS\tanonymous\nSPID\t1\nCUID\t1\nCOOKIE\tx\nDONE\n';

/** Knows one password, asks for a user with LOGIN, and dies of DIE. */
function answer(line: string): string | undefined {
  const [verb, id, ...fields] = line.split('\t');
  if (verb === 'AUTH' && fields[0] === 'DIE') return undefined;
  if (verb === 'AUTH' && fields[0] === 'LOGIN') return `CONT\t${id}\tVXNlcm5hbWU6\n`;
  if (verb === 'CONT') return `OK\t${id}\tuser=joe\n`;
  if (verb !== 'AUTH') return '';
  return fields.at(-1) === 'resp=good'
    ? `OK\t${id}\tuser=joe\n`
    : `FAIL\t${id}\tuser=joe\treason=no such password${fields.at(-1) === 'resp=later' ? '\ttemp' : ''}\n`;
}

describe('a Dovecot login server', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-sasl-'));
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  let fake: Server;
  const warnings: string[] = [];
  const ports = new Map<string, number>();
  const portOf = (service: string): number | undefined => ports.get(service);
  const server = new DovecotServer('auth', directory, (text) => warnings.push(text), portOf);
  const request = (mechanism: string, initialResponse?: string) => ({
    mechanism,
    service: 'smtp',
    localAddress: '192.0.2.1',
    remoteAddress: '192.0.2.2',
    isSecured: true,
    initialResponse,
  });

  before(async () => {
    fake = createServer((socket) => {
      sockets.add(socket);
      socket.write(handshake);
      socket.on('data', (bytes) => {
        for (const line of bytes.toString().split('\n').filter(Boolean)) {
          heard.push(line);
          const reply = answer(line);
          if (reply === undefined) socket.destroy();
          else socket.write(reply);
        }
      });
    });
    await new Promise<void>((done) => fake.listen(join(directory, 'auth'), done));
  });
  after(() => {
    fake.close();
    for (const socket of sockets) socket.destroy();
    rmSync(directory, { recursive: true });
  });

  it('says what its mechanisms lack', async () => {
    const offer = await server.offer();
    assert.ok(offer.kind === 'mechanisms');
    assert.deepEqual(
      offer.mechanisms.map(({ name, traits }) => [
        name,
        traits.has('noplaintext'),
        traits.has('noanonymous'),
        traits.has('nodictionary'),
      ]),
      [
        ['PLAIN', false, true, true],
        ['CRAM-MD5', true, true, false],
        ['ANONYMOUS', true, false, true],
      ],
    );
  });

  it('takes and refuses', async () => {
    assert.deepEqual(await server.open(request('PLAIN', 'good')).start(), { kind: 'authenticated', user: 'joe' });
    assert.ok(
      heard.includes('AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=192.0.2.1\trip=192.0.2.2\tsecured\tresp=good'),
    );
    // as in Postfix, a server that asks for patience refuses
    for (const response of ['bad', 'later']) {
      assert.deepEqual(await server.open(request('PLAIN', response)).start(), {
        kind: 'refused',
        reason: 'no such password',
        isTemporary: false,
        verdict: { user: 'joe' },
      });
    }
  });

  it('hands challenges over', async () => {
    const exchange = server.open(request('LOGIN'));
    assert.deepEqual(await exchange.start(), { kind: 'challenge', text: 'VXNlcm5hbWU6' });
    assert.deepEqual(await exchange.answer('am9l'), { kind: 'authenticated', user: 'joe' });
  });

  it('lets no field in through a response', async () => {
    const before = heard.length;
    const step = await server.open(request('PLAIN', 'x\tvalid-client-cert')).start();
    assert.deepEqual([step.kind, heard.length], ['refused', before]);
  });

  it('is a temporary failure when it dies, and comes back', async () => {
    const step = await server.open(request('DIE')).start();
    assert.ok(step.kind === 'refused' && step.isTemporary);
    assert.equal((await server.open(request('PLAIN', 'good')).start()).kind, 'authenticated');
    assert.deepEqual(await new DovecotServer('nobody', directory, () => undefined, portOf).offer(), {
      kind: 'unreachable',
      warnings: ["SASL: Connect to Dovecot auth socket 'nobody' failed: No such file or directory"],
      fatal: 'no SASL authentication mechanisms',
    });
  });

  it('listens at a port that has a name, or can not be reached', async (t) => {
    const near = createServer((socket) => {
      sockets.add(socket);
      socket.write(handshake);
    });
    await new Promise<void>((done) => near.listen(0, '127.0.0.1', done));
    t.after(() => near.close());
    const address = near.address();
    ports.set('dovecot-auth', typeof address === 'object' && address !== null ? address.port : 0);
    const offerAt = (port: string): ReturnType<DovecotServer['offer']> =>
      new DovecotServer(`inet:127.0.0.1:${port}`, directory, () => undefined, portOf).offer();
    assert.equal((await offerAt('dovecot-auth')).kind, 'mechanisms');
    assert.deepEqual(await offerAt('99999'), {
      kind: 'unreachable',
      warnings: ["SASL: Connect to Dovecot auth socket 'inet:127.0.0.1:99999' failed: Connection refused"],
      fatal: 'no SASL authentication mechanisms',
    });
  });
});
