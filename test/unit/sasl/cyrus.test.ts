import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CyrusPlace, CyrusServer, cyrusProblem, readCyrusConfig, type SaslStep } from '#sasl';

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
  const place = (domain = ''): CyrusPlace => ({ domain, hostName: 'mail.example.com', now: () => 1_700_000_000_000 });
  const serverOf = (domain = '', socket = 'mux'): CyrusServer =>
    new CyrusServer(configOf(`pwcheck_method: saslauthd\nsaslauthd_path: ${join(directory, socket)}\n`), place(domain));
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
      const offer = await new CyrusServer(configOf(lines), place()).offer();
      return offer.kind === 'mechanisms' ? offer.mechanisms.map(({ name }) => name) : [offer.fatal];
    };
    assert.deepEqual(await offered('pwcheck_method: saslauthd'), ['PLAIN', 'LOGIN']);
    assert.deepEqual(await offered('# x\nMech_List:  cram-md5 login\npwcheck_method: saslauthd\n'), ['LOGIN']);
    assert.deepEqual(await offered('foo bar'), ['SASL per-process initialization failed']);
  });

  it('knows what a file asks for that is not there', () => {
    const problemOf = (lines: string): string | undefined => cyrusProblem(configOf(lines))?.replace(/ \(.*/, '');
    assert.equal(problemOf('pwcheck_method: saslauthd'), undefined);
    assert.equal(problemOf('pwcheck_method: saslauthd auxprop\nauxprop_plugin: SASLDB'), undefined);
    assert.equal(problemOf('pwcheck_method: authdaemond'), 'pwcheck_method: authdaemond');
    assert.equal(problemOf('auxprop_plugin: sql'), 'auxprop_plugin: sql');
    assert.equal(problemOf('pwcheck_method: saslauthd\nauxprop_plugin: sql'), undefined);
    assert.equal(cyrusProblem(readCyrusConfig([], 'smtpd')), undefined);
  });

  describe('with a file of saslpasswd2', () => {
    const database = `sasldb_path: ${join(import.meta.dirname, 'sasldb2.db')}\n`;
    const auxprop = `pwcheck_method: auxprop\nauxprop_plugin: sasldb\n${database}`;
    const withFile = (lines = auxprop, domain = ''): CyrusServer => new CyrusServer(configOf(lines), place(domain));
    const outcome = (step: SaslStep): readonly unknown[] => [
      step.kind,
      step.kind === 'authenticated' ? step.user : step.kind === 'refused' ? step.reason : step.text,
      ...(step.kind === 'challenge' ? [] : (step.warnings ?? [])).map((text) =>
        text.replace(/^SASL auth\w+ failure: /, ''),
      ),
    ];

    it('looks for users without a domain where the server is, and for others where they say', async () => {
      assert.deepEqual(outcome(await steps(withFile(), 'PLAIN', '\0alice\0secret')), ['authenticated', 'alice']);
      const bob = await steps(withFile(auxprop, 'example.org'), 'LOGIN', 'bob', 'secret');
      assert.deepEqual(outcome(bob), ['authenticated', 'bob@example.org']);
      const failure = ['refused', 'authentication failure', 'Password verification failed'];
      assert.deepEqual(outcome(await steps(withFile(), 'PLAIN', '\0bob\0secret')), failure);
      assert.deepEqual(outcome(await steps(withFile(), 'PLAIN', '\0alice\0Secret')), failure);
      const gone = auxprop.replace('sasldb2.db', 'nowhere');
      assert.deepEqual(outcome(await steps(withFile(gone), 'PLAIN', '\0alice\0secret')), failure);
    });

    it('asks one method after the other', async () => {
      const both = `pwcheck_method: saslauthd auxprop\nsaslauthd_path: ${join(directory, 'nobody')}\n${database}`;
      assert.deepEqual(outcome(await steps(withFile(both), 'PLAIN', '\0alice\0secret')), [
        'authenticated',
        'alice',
        'cannot connect to saslauthd server: No such file or directory',
      ]);
    });

    it('challenges for CRAM-MD5', async () => {
      const request = { service: 'smtp', localAddress: '', remoteAddress: '', isSecured: false };
      const answer = async (respond: (challenge: string) => string): Promise<readonly unknown[]> => {
        const exchange = withFile().open({ ...request, mechanism: 'CRAM-MD5', initialResponse: undefined });
        const step = await exchange.start();
        const challenge = Buffer.from(step.kind === 'challenge' ? step.text : '', 'base64').toString();
        assert.match(challenge, /^<\d+\.1700000000@mail\.example\.com>$/);
        return outcome(await exchange.answer(base64(respond(challenge))));
      };
      const digest = (challenge: string, password: string): string =>
        createHmac('md5', password).update(challenge).digest('hex');
      assert.deepEqual(await answer((challenge) => `alice ${digest(challenge, 'secret')}`), ['authenticated', 'alice']);
      const failed = ['refused', 'authentication failure'];
      assert.deepEqual(await answer((challenge) => `alice ${digest(challenge, 'x')}`), [
        ...failed,
        'incorrect digest response',
      ]);
      assert.deepEqual(await answer((challenge) => `nobody ${digest(challenge, 'secret')}`), failed);
      assert.deepEqual(await answer(() => 'alice'), ['refused', 'bad protocol / cancel', 'need authentication name']);
      assert.deepEqual(outcome(await steps(withFile(), 'CRAM-MD5', 'alice x')), [
        'refused',
        'bad protocol / cancel',
        'Remote sent first but mech does not allow it.',
      ]);
    });

    it('offers what the file names, in its order, and says what is not strong enough', async () => {
      const offered = async (lines: string): Promise<readonly string[]> => {
        const offer = await withFile(lines).offer();
        return offer.kind === 'mechanisms' ? offer.mechanisms.map(({ name }) => name) : [];
      };
      assert.deepEqual((await offered(auxprop)).slice(4), ['SCRAM-SHA-1', 'DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN']);
      assert.deepEqual(await offered(`${auxprop}mech_list: login NTLM cram-md5\n`), ['LOGIN', 'CRAM-MD5']);
      const { badMechanism } = withFile().words;
      assert.deepEqual(outcome(badMechanism('plain', undefined)), ['refused', 'encryption needed to use mechanism']);
    });
  });
});
