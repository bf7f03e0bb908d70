import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { CyrusServer, cyrusProblem, readCyrusConfig, type SaslStep } from '#sasl';

/** The strings of a request of saslauthd's protocol. */
function fieldsOf(bytes: Buffer): readonly string[] {
  const fields: string[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const end = at + 2 + bytes.readUInt16BE(at);
    fields.push(bytes.toString('utf8', at + 2, end));
    at = end;
  }
  return fields;
}

describe('Cyrus SASL', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-cyrus-'));
  const asked: (readonly string[])[] = [];
  let saslauthd: Server;

  before(async () => {
    saslauthd = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes: Buffer) => {
        const fields = fieldsOf(bytes);
        asked.push(fields);
        if (fields[1] === 'die') socket.destroy();
        else socket.end(fields[1] === 'secret' ? '\0\x02OK' : '\0\x02NO');
      });
    });
    await new Promise<void>((done) => saslauthd.listen(join(directory, 'mux'), done));
  });
  after(() => {
    saslauthd.close();
    rmSync(directory, { recursive: true });
  });

  const configOf = (lines: string): ReturnType<typeof readCyrusConfig> => {
    writeFileSync(join(directory, 'smtpd.conf'), lines);
    return readCyrusConfig([join(directory, 'nowhere'), directory], 'smtpd');
  };
  const serverOf = (domain = '', socket = 'mux'): CyrusServer =>
    new CyrusServer(configOf(`pwcheck_method: saslauthd\nsaslauthd_path: ${join(directory, socket)}\n`), domain);
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const steps = async (server: CyrusServer, mechanism: string, ...texts: readonly string[]): Promise<SaslStep> => {
    const [initial, ...rest] = texts;
    const exchange = server.open({
      mechanism,
      service: 'smtp',
      localAddress: '',
      remoteAddress: '',
      isSecured: false,
      initialResponse: initial === undefined ? undefined : base64(initial),
    });
    let step = await exchange.start();
    for (const text of rest) step = await exchange.answer(base64(text));
    return step;
  };

  it('asks saslauthd with the realm apart from the name', async () => {
    const server = serverOf('local.example');
    assert.deepEqual(await steps(server, 'PLAIN', '\0ann\0secret'), {
      kind: 'authenticated',
      user: 'ann@local.example',
    });
    assert.deepEqual(await steps(server, 'login', 'bob@x.example', 'secret'), {
      kind: 'authenticated',
      user: 'bob@x.example',
    });
    assert.deepEqual(asked.slice(-2), [
      ['ann', 'secret', 'smtp', 'local.example'],
      ['bob', 'secret', 'smtp', 'x.example'],
    ]);
  });

  it('challenges a client that says nothing of its own accord', async () => {
    assert.deepEqual(await steps(serverOf(), 'PLAIN'), { kind: 'challenge', text: '' });
    assert.deepEqual(await steps(serverOf(), 'LOGIN'), { kind: 'challenge', text: base64('Username:') });
    assert.deepEqual(await steps(serverOf(), 'LOGIN', 'ann'), { kind: 'challenge', text: base64('Password:') });
  });

  it('refuses in the words of libsasl', async () => {
    const said = async (mechanism: string, ...texts: readonly string[]): Promise<readonly unknown[]> => {
      const step = await steps(serverOf(), mechanism, ...texts);
      assert.ok(step.kind === 'refused');
      const warnings = step.warnings?.map((text) => text.replace('SASL authentication failure: ', ''));
      return [step.reason, step.isTemporary, step.verdict?.user, ...(warnings ?? [])];
    };
    const failure = 'authentication failure';
    assert.deepEqual(await said('PLAIN', '\0ann\0no'), [failure, false, 'ann', 'Password verification failed']);
    assert.deepEqual(await said('LOGIN', 'ann', 'no'), [failure, false, 'ann']);
    assert.deepEqual(await said('PLAIN', 'bob\0ann\0secret'), [
      failure,
      false,
      'bob',
      'Requested identity not authenticated identity',
    ]);
    assert.deepEqual(await said('PLAIN', '\0ann\0die'), [
      'generic failure',
      true,
      'ann',
      'size read failed',
      'Password verification failed',
    ]);
    assert.deepEqual(await said('PLAIN', '\0 \0secret'), [
      'generic failure',
      true,
      undefined,
      'All-whitespace username.',
    ]);
    assert.deepEqual(await said('PLAIN', 'ann'), [
      'bad protocol / cancel',
      false,
      undefined,
      'Can only find author (no password)',
    ]);
  });

  it('reads what is Base64 in groups of four, and before it looks for the mechanism', async () => {
    const reasons: unknown[] = [];
    for (const response of ['!!!', '=', 'AUTH LOGIN', '!!!!', 'AA==AAAA', 'AB==']) {
      const exchange = serverOf().open({
        mechanism: 'LOGIN',
        service: 'smtp',
        localAddress: '',
        remoteAddress: '',
        isSecured: false,
        initialResponse: response,
      });
      const step = await exchange.start();
      reasons.push(step.kind === 'refused' ? step.reason : step.kind);
    }
    const [short, bad] = ['another step is needed in authentication', 'bad protocol / cancel'];
    assert.deepEqual(reasons, [short, short, bad, bad, bad, 'challenge']);
    const { badMechanism } = serverOf().words;
    const said = [badMechanism('FOO', '='), badMechanism('FOO', undefined)];
    assert.deepEqual(
      said.map((outcome) => outcome.kind === 'refused' && outcome.reason),
      [short, 'no mechanism available'],
    );
  });

  it('says that there is no saslauthd', async () => {
    const step = await steps(serverOf('', 'nobody'), 'LOGIN', 'ann', 'secret');
    assert.ok(step.kind === 'refused' && step.isTemporary);
    assert.deepEqual(step.warnings, [
      'SASL authentication failure: cannot connect to saslauthd server: No such file or directory',
    ]);
  });

  it('offers of mech_list what needs a password alone', async () => {
    const offered = async (lines: string): Promise<readonly string[]> => {
      const offer = await new CyrusServer(configOf(lines), '').offer();
      return offer.kind === 'mechanisms' ? offer.mechanisms.map(({ name }) => name) : [offer.fatal];
    };
    assert.deepEqual(await offered('pwcheck_method: saslauthd'), ['PLAIN', 'LOGIN']);
    assert.deepEqual(await offered('# x\nMech_List:  cram-md5 login\n'), ['LOGIN']);
    assert.deepEqual(await offered('foo bar'), ['SASL per-process initialization failed']);
  });

  it('knows what a file asks for that is not there', () => {
    assert.equal(cyrusProblem(configOf('pwcheck_method: saslauthd')), undefined);
    assert.match(
      cyrusProblem(configOf('pwcheck_method: saslauthd auxprop')) ?? '',
      /^pwcheck_method: auxprop \(in \/.*\)$/,
    );
    assert.match(cyrusProblem(readCyrusConfig([], 'smtpd')) ?? '', /^pwcheck_method: auxprop \(the default, /);
  });
});
