/** One mail system a queue: what a second start is told, and that the first one does not notice. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bin, freePort, QuickStart, until } from './support/quick-start.ts';
import { commonServices } from './support/services.ts';
import { commonSettings } from './support/settings.ts';

describe('a quick start where one runs', () => {
  let server: QuickStart;
  before(async () => {
    server = await QuickStart.start();
  });
  after(() => server.remove());

  for (const isOtherPort of [false, true]) {
    it(`is refused, on ${isOtherPort ? 'another' : 'the same'} port, and leaves it as it was`, async () => {
      const path = `${server.directory}/etc/master.cf`;
      const port = isOtherPort ? await freePort() : server.port;
      writeFileSync(path, readFileSync(path, 'utf8').replace(`127.0.0.1:${server.port} `, `127.0.0.1:${port} `));
      const args = ['quick-start', '--directory', server.directory];
      const second = spawnSync(`${bin}/posthorn`, args, { encoding: 'utf8', timeout: 20_000 });
      assert.equal(second.status, 1);
      assert.ok(second.stderr.startsWith(`posthorn: fatal: a mail system runs in ${server.directory} already; `));
      assert.equal(existsSync(`${server.directory}/queue/pid/master.pid`), true);
      assert.match(server.command('postqueue', ['-p']), /Mail queue is empty/);
    });
  }

  it('is refused when its configuration names the queue or the data of another', async () => {
    const other = await QuickStart.start();
    try {
      await other.stop();
      other.command('postconf', ['-e', `data_directory = ${server.directory}/data`]);
      await assert.rejects(other.start(), /a mail system runs in /);
      assert.equal(existsSync(`${other.directory}/queue/pid/master.pid`), false);
    } finally {
      await other.remove();
    }
  });

  it('goes on after one that was killed', async () => {
    await server.stop('SIGKILL');
    assert.equal(existsSync(`${server.directory}/queue/pid/master.pid`), true);
    await server.start();
    assert.match(server.command('postqueue', ['-p']), /Mail queue is empty/);
  });

  const needsRoot = process.getuid?.() === 0 ? false : 'only root gives directories away';
  it('as root follows no link that the server could have made', { skip: needsRoot }, async () => {
    const other = await QuickStart.start();
    const precious = `${other.directory}/precious`;
    try {
      await other.stop();
      assert.equal(statSync(`${other.directory}/etc`).uid, 0);
      mkdirSync(precious, { mode: 0o700 });
      rmSync(`${other.directory}/queue/maildrop`, { recursive: true });
      symlinkSync(precious, `${other.directory}/queue/maildrop`);
      await assert.rejects(other.start(), /queue\/maildrop: not a directory but a symbolic link; remove it/);
      const { uid, mode } = statSync(precious);
      assert.deepEqual([uid, mode & 0o7777], [0, 0o700]);
    } finally {
      await other.remove();
    }
  });

  it('needs no name for who starts it, as in a container', { skip: needsRoot }, async (t) => {
    const ids = { uid: 54_321, gid: 54_321 };
    const home = mkdtempSync(join(tmpdir(), 'posthorn-nameless-'));
    chownSync(home, ids.uid, ids.gid);
    const env = { ...process.env, HOME: home };
    if (spawnSync(`${bin}/postconf`, ['-d', 'mail_name'], { ...ids, env }).status !== 0) {
      t.skip('an ordinary user can not reach the sources');
      return;
    }
    const args = ['quick-start', '--directory', `${home}/var`, '--port', String(await freePort())];
    const child = spawn(`${bin}/posthorn`, args, { ...ids, env, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      const line = await until('the line to try', () => /^Send a message: {2}(.*)$/m.exec(output)?.[1]);
      assert.equal(spawnSync('sh', ['-c', line], { ...ids, env }).status, 0);
      const box = `${home}/var/mail/uid54321/new`;
      await until('the message', () => (existsSync(box) && readdirSync(box).length > 0 ? true : undefined));
    } finally {
      child.kill('SIGKILL');
      await once(child, 'exit');
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('takes any place, and says where its mail was before a move', async () => {
    const home = mkdtempSync(join(tmpdir(), "posthorn it's $here-"));
    chmodSync(home, 0o755);
    const place = `${home}/var`;
    const args = ['quick-start', '--port', String(await freePort()), '--directory'];
    const child = spawn(`${bin}/posthorn`, [...args, place], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const line = (name: string): string | undefined => new RegExp(`^${name}: +(.*)$`, 'm').exec(output)?.[1];
    try {
      assert.equal(spawnSync('sh', ['-c', await until('the lines to try', () => line('Send a message'))]).status, 0);
      const read = await until('the line to try', () => line('Read it'));
      const letter = (): string => spawnSync('sh', ['-c', read], { encoding: 'utf8' }).stdout;
      await until('the message', () => (letter().includes('It works.') ? true : undefined));
      child.kill('SIGINT');
      await once(child, 'exit');
      renameSync(place, `${home}/moved`);
      const moved = spawnSync(`${bin}/posthorn`, [...args, `${home}/moved`], { encoding: 'utf8', timeout: 20_000 });
      assert.equal(moved.status, 1);
      assert.ok(moved.stderr.includes(`main.cf, line 3: queue_directory = ${place}/queue: no such directory; `));
    } finally {
      child.kill('SIGKILL');
      rmSync(home, { recursive: true, force: true });
    }
  });

  it('says that a port is not used when master.cf has another', async () => {
    const other = await QuickStart.start();
    try {
      await other.stop();
      await other.start();
      assert.doesNotMatch(other.output, /is not used/);
      await other.stop();
      const path = `${other.directory}/etc/master.cf`;
      const port = await freePort();
      writeFileSync(path, readFileSync(path, 'utf8').replace(`127.0.0.1:${other.port} `, `127.0.0.1:${port} `));
      await other.start();
      assert.match(other.output, new RegExp(`--port ${other.port} is not used: the port is in ${path}`));
    } finally {
      await other.remove();
    }
  });
});

describe('postfix start', () => {
  const base = mkdtempSync(join(tmpdir(), 'posthorn-second-'));
  const etc = `${base}/etc`;
  const env = { ...process.env, MAIL_CONFIG: etc };
  const pidFile = `${base}/queue/pid/master.pid`;
  const postfix = (word: string): number | null => spawnSync(`${bin}/postfix`, [word], { env, timeout: 30_000 }).status;
  const started = async (): Promise<number> => {
    const child = spawn(`${bin}/postfix`, ['start'], { env, stdio: 'ignore' });
    await once(child, 'exit');
    return child.exitCode ?? -1;
  };
  const writtenPid = (): number => Number(readFileSync(pidFile, 'latin1').trim());

  before(() => {
    chmodSync(base, 0o755);
    mkdirSync(etc);
    // no port that a second system could fail at
    writeFileSync(`${etc}/master.cf`, commonServices);
    writeFileSync(
      `${etc}/main.cf`,
      `${commonSettings(base)}mydestination =
alias_maps =
alias_database =
`,
    );
  });
  after(() => {
    postfix('stop');
    rmSync(base, { recursive: true, force: true });
  });

  it('twice at once starts one system, which is known and reloads', async () => {
    const exits = await Promise.all([started(), started(), started()]);
    assert.deepEqual(exits.toSorted(), [0, 1, 1]);
    const pid = writtenPid();
    process.kill(pid, 0);
    assert.equal(postfix('status'), 0);
    assert.equal(postfix('reload'), 0);
    assert.equal(writtenPid(), pid);
    assert.equal(await started(), 1);
  });

  it('goes on after a supervisor that was killed', async () => {
    const pid = writtenPid();
    process.kill(pid, 'SIGKILL');
    await until('its end', () => (postfix('status') === 1 ? true : undefined));
    assert.equal(writtenPid(), pid);
    assert.equal(await started(), 0);
    assert.notEqual(writtenPid(), pid);
  });

  it('goes on at once after a stop', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      assert.equal(postfix('stop'), 0);
      assert.equal(existsSync(pidFile), false);
      assert.equal(await started(), 0);
    }
  });
});
