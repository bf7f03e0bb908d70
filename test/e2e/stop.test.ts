/** `postfix stop` while clients and deliveries take their time. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { bin, freePort, until } from './support/quick-start.ts';
import { commonServices } from './support/services.ts';
import { commonSettings } from './support/settings.ts';
import { Talk } from './support/talk.ts';

describe('postfix stop', () => {
  const base = mkdtempSync(join(tmpdir(), 'posthorn-stop-'));
  const env = { ...process.env, MAIL_CONFIG: base };
  const postfix = (word: string): number | null => spawnSync(`${bin}/postfix`, [word], { env, timeout: 30_000 }).status;
  const silent: Socket[] = [];
  const nextHop = createServer((socket) => void silent.push(socket));
  after(() => {
    postfix('stop');
    nextHop.close();
    for (const socket of silent) socket.destroy();
    rmSync(base, { recursive: true, force: true });
  });

  it('leaves the queue in order, whoever is in the middle of something', async () => {
    chmodSync(base, 0o755);
    const [port, hopPort] = [await freePort(), await freePort()];
    writeFileSync(
      `${base}/master.cf`,
      `127.0.0.1:${port} inet n - n - - smtpd\nsmtp unix - - n - - smtp\n${commonServices}`,
    );
    writeFileSync(
      `${base}/main.cf`,
      `${commonSettings(base)}mydestination =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
relayhost = [127.0.0.1]:${hopPort}
`,
    );
    nextHop.listen(hopPort, '127.0.0.1');
    assert.equal(postfix('start'), 0);
    const talk = new Talk(connect(port, '127.0.0.1'));
    await talk.hear();
    const isTried = once(nextHop, 'connection');
    for (const line of ['EHLO client.example', 'MAIL FROM:<>', 'RCPT TO:<a@far.example>', 'DATA']) await talk.say(line);
    assert.match(await talk.say('Subject: x\r\n\r\nx\r\n.'), /^250 /);
    await isTried;
    for (const line of ['MAIL FROM:<>', 'RCPT TO:<b@far.example>']) await talk.say(line);
    assert.equal(postfix('stop'), 0);
    // whoever closes the database empties its log
    assert.equal(existsSync(`${base}/queue/posthorn.db`), true);
    assert.equal(existsSync(`${base}/queue/posthorn.db-wal`), false);
    assert.doesNotMatch(readFileSync(`${base}/mail.log`, 'utf8'), /with force/);
  });
});

describe('postfix start-fg', () => {
  const base = mkdtempSync(join(tmpdir(), 'posthorn-foreground-'));
  const env = { ...process.env, MAIL_CONFIG: base };
  const postfix = (word: string): number | null => spawnSync(`${bin}/postfix`, [word], { env, timeout: 30_000 }).status;
  const masterPid = (): number => Number(readFileSync(`${base}/queue/pid/master.pid`, 'latin1').trim());
  after(() => {
    postfix('abort');
    rmSync(base, { recursive: true, force: true });
  });

  function startsInLog(): number {
    const log = `${base}/mail.log`;
    return existsSync(log) ? readFileSync(log, 'utf8').split('daemon started').length - 1 : 0;
  }

  async function inForeground(): Promise<{ readonly child: ChildProcess; readonly ended: Promise<unknown[]> }> {
    chmodSync(base, 0o755);
    writeFileSync(`${base}/master.cf`, commonServices);
    writeFileSync(`${base}/main.cf`, `${commonSettings(base)}mydestination =\nalias_maps =\nalias_database =\n`);
    const before = startsInLog();
    const child = spawn(`${bin}/postfix`, ['start-fg'], { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    await until('its start', () => (startsInLog() > before ? true : undefined));
    return { child, ended };
  }

  it('ends well when it is stopped', async () => {
    const { ended } = await inForeground();
    assert.equal(postfix('stop'), 0);
    assert.deepEqual(await ended, [0, null]);
  });

  it('fails when its master was killed, so that it is started again', async () => {
    const { ended } = await inForeground();
    process.kill(masterPid(), 'SIGKILL');
    assert.deepEqual(await ended, [137, null]);
  });

  it('is stopped with force, and the rest of it with it, when its master hangs', async () => {
    const { ended } = await inForeground();
    process.kill(masterPid(), 'SIGSTOP');
    assert.equal(postfix('stop'), 0);
    assert.deepEqual(await ended, [137, null]);
    await until('the end of its processes', () => (isInUse() ? undefined : true));
  });

  /** Whether a process of it is left: each stands in the queue directory. */
  function isInUse(): boolean {
    return readdirSync('/proc').some((name) => {
      try {
        return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(base);
      } catch {
        return false; // it ended, or is another user's
      }
    });
  }
});
