import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import { ConfigError, loadConfiguration } from '#config';

import { Listeners } from '../../../src/master/listeners.ts';
import { SpawnServices } from '../../../src/master/spawn-services.ts';

// root may not be the user of a service
const user = userInfo().uid === 0 ? 'nobody' : userInfo().username;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

describe('a spawn service', () => {
  const directory = mkdtempSync(join(tmpdir(), 'spawn-'));
  const warnings: string[] = [];
  let services: SpawnServices | undefined;

  function open(entries: string): SpawnServices {
    writeFileSync(join(directory, 'master.cf'), entries);
    const configuration = loadConfiguration(directory);
    return new SpawnServices({
      configuration,
      events: {
        emit: (event) => {
          if (event.kind === 'warning') warnings.push(event.text);
        },
      },
    });
  }

  const talk = (name: string, said: string): Promise<string> =>
    talkTo({ path: join(directory, 'private', name) }, said);

  async function talkTo(where: { path: string } | { host: string; port: number }, said: string): Promise<string> {
    const socket = connect({ ...where, allowHalfOpen: true });
    // a command that reads nothing may have ended before anything could be said
    if (said !== '') socket.write(said);
    socket.end();
    return text(socket);
  }

  before(async () => {
    chmodSync(directory, 0o755);
    mkdirSync(join(directory, 'private'));
    writeFileSync(
      join(directory, 'main.cf'),
      `queue_directory = ${directory}\ndata_directory = ${directory}\ncommand_time_limit = 1\nslow_time_limit = 1h\n`,
    );
    services = open(
      `slow unix - n n - 0 spawn user=${user} argv=/bin/sh -c {sleep 1.2; exec id -un}\n` +
        `upper unix - n n - 0 spawn user=${user} argv=/usr/bin/tr a-z A-Z\n` +
        `who unix - n n - 1 spawn user=${user} argv=/usr/bin/id -un\n` +
        `fails unix - n n - 0 spawn user=${user} argv=/bin/sh -c {exit 3}\n`,
    );
    const umask = process.umask(0o077);
    try {
      await services.listen([]);
    } finally {
      process.umask(umask);
    }
  });
  after(() => {
    services?.close();
    rmSync(directory, { recursive: true });
  });

  it('is for everybody who may look into the directory, whatever the umask', () => {
    assert.equal(statSync(join(directory, 'private', 'upper')).mode & 0o777, 0o666);
  });

  const needsRoot = process.getuid?.() === 0 ? false : 'only root is somebody else';
  it('is made as mail_owner, whose links lead root nowhere', { skip: needsRoot }, async () => {
    const queue = mkdtempSync(join(directory, 'queue-'));
    const nobody = { uid: 65_534, gid: 65_534 };
    mkdirSync(join(queue, 'precious'), { mode: 0o700 });
    symlinkSync(join(queue, 'precious'), join(queue, 'private'));
    const entries = `name unix - n n - 0 spawn user=${user} argv=/bin/true\n`;
    const settings = `queue_directory = ${queue}\ndata_directory = ${queue}\n`;
    writeFileSync(join(queue, 'main.cf'), settings);
    writeFileSync(join(queue, 'master.cf'), entries);
    const owned = new SpawnServices({
      configuration: loadConfiguration(queue),
      events: { emit: () => undefined },
      owner: nobody,
    });
    await assert.rejects(owned.listen([]), /EACCES/);
    assert.deepEqual(readdirSync(join(queue, 'precious')), []);
    rmSync(join(queue, 'private'));
    mkdirSync(join(queue, 'private'));
    chmodSync(queue, 0o755);
    chownSync(join(queue, 'private'), nobody.uid, nobody.gid);
    await owned.listen([]);
    renameSync(join(queue, 'private'), join(queue, 'private.was'));
    symlinkSync(join(queue, 'precious'), join(queue, 'private'));
    writeFileSync(join(queue, 'precious/name'), '');
    owned.close();
    assert.deepEqual(readdirSync(join(queue, 'precious')), ['name']);
    assert.deepEqual([process.geteuid?.(), process.getegid?.()], [0, 0]);
  });

  it('runs a command that talks over the connection', async () => {
    assert.equal(await talk('upper', 'hello'), 'HELLO');
  });

  it('runs as the user that master.cf names, for one client after the other where it says so', async () => {
    assert.deepEqual(await Promise.all([talk('who', ''), talk('who', '')]), [`${user}\n`, `${user}\n`]);
  });

  it('gives a command the time of its own, in any unit', async () => {
    assert.equal(await talk('slow', ''), `${user}\n`);
  });

  it('tells of a command that fails', async () => {
    await talk('fails', '');
    // its connection may end before the process does
    while (warnings.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(warnings, ['command /bin/sh exit status 3']);
  });

  it('listens on a port, too, which a reload does not close', async () => {
    const port = await freePort();
    const entry = `127.0.0.1:${port} inet n n n - 0 spawn user=${user} argv=/usr/bin/tr a-z`;
    const listeners = new Listeners();
    const generation = async (letters: string): Promise<SpawnServices> => {
      const opened = open(`${entry} ${letters}\n`);
      const wanted = await listeners.open(loadConfiguration(directory));
      wanted.keep();
      await opened.listen(wanted.all);
      return opened;
    };
    const older = await generation('A-Z');
    assert.equal(await talkTo({ host: '127.0.0.1', port }, 'hello'), 'HELLO');
    older.close();
    const newer = await generation('b-za');
    assert.equal(await talkTo({ host: '127.0.0.1', port }, 'hal'), 'ibm');
    newer.close();
    open('');
    (await listeners.open(loadConfiguration(directory))).keep();
  });

  it('is refused with file and line when it would run as root, as nobody known, or nothing, or says more', () => {
    for (const [entry, reason] of [
      [
        'x unix - n n - 0 spawn user=root argv=/bin/cat',
        /master\.cf, line 1: service x\/spawn: user=root specifies root privileges; name a user/,
      ],
      ['x unix - n n - 0 spawn user=nobody:root argv=/bin/cat', /user=nobody:root specifies privileged group id 0;/],
      ['x unix - n n - 0 spawn user=no-such-user argv=/bin/cat', /no such user/],
      ['x unix - n n - 0 spawn user=nobody', /missing argv=/],
      ['x fifo - n n - 0 spawn user=nobody argv=/bin/cat', /type fifo is not supported; use inet or unix/],
      [`x unix - n n - 0 spawn user=${user} flags=D argv=/bin/cat`, /unknown attribute "flags"/],
    ] as const)
      assert.throws(
        () => open(`${entry}\n`),
        (error) => error instanceof ConfigError && reason.test(error.problems[0] ?? ''),
      );
  });
});
