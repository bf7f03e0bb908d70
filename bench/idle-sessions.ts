/**
 * What idle SMTP sessions cost: the rate of mail on other connections without and with them, and the server's memory.
 * Run: node_modules/.bin/node bench/idle-sessions.ts [idle sessions] [messages a round]
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const idleCount = Number(process.argv[2] ?? 2000);
const messages = Number(process.argv[3] ?? 3000);
const senders = 10;
const rounds = 3;
const bin = resolve(import.meta.dirname, '../bin');
const directory = mkdtempSync(join(tmpdir(), 'posthorn-bench-'));
chmodSync(directory, 0o755);
const content = `Subject: benchmark\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(28)}.\r\n`;

/** A client's end of a session. */
class Client {
  readonly socket: Socket;
  #text = '';
  #wake: (() => void) | undefined;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1').setEncoding('utf8').setNoDelay(true);
    this.socket.on('data', (text: string) => {
      this.#text += text;
      this.#wake?.();
    });
    this.socket.on('error', (error) => this.socket.destroy(error));
    this.socket.on('close', () => this.#wake?.());
  }

  /** Waits for a reply; throws when it is a refusal. */
  async reply(): Promise<void> {
    for (;;) {
      const reply = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(this.#text)?.[0];
      if (reply !== undefined) {
        this.#text = this.#text.slice(reply.length);
        if (/^[45]/.test(reply)) throw new Error(reply);
        return;
      }
      if (this.socket.destroyed) throw new Error('the server hung up');
      await new Promise<void>((done) => (this.#wake = done));
    }
  }

  say(line: string): Promise<void> {
    this.socket.write(line);
    return this.reply();
  }

  async greet(): Promise<void> {
    await this.reply();
    await this.say('EHLO client.example\r\n');
  }
}

function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Starts a server in `directory`; resolves when it listens. */
function start(port: number): Promise<ChildProcess> {
  const args = ['quick-start', '--directory', directory, '--port', String(port)];
  const child = spawn('sh', ['-c', 'ulimit -n $(ulimit -Hn); exec "$@"', 'sh', `${bin}/posthorn`, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return new Promise((done, fail) => {
    let text = '';
    child.on('exit', () => fail(new Error(text)));
    child.stdout.on('data', (chunk: Buffer) => {
      if (text.includes('Posthorn listens on')) return;
      text += chunk.toString('utf8');
      if (text.includes('Posthorn listens on')) done(child);
    });
  });
}

/** Ends it and waits until it is gone. */
function stop(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    child.removeAllListeners('exit');
    child.once('exit', () => done());
    child.kill('SIGINT');
  });
}

/** Memory of a process and its children that nobody else holds, in KiB. */
function memoryKib(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  const own = /^Private_Clean: +(\d+) kB\nPrivate_Dirty: +(\d+) kB/m.exec(
    readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'),
  );
  const sum = Number(own?.[1] ?? 0) + Number(own?.[2] ?? 0);
  return children.filter((child) => existsSync(`/proc/${child}`)).reduce((all, child) => all + memoryKib(child), sum);
}

/** Sends the round's messages; gives the rate a second. */
async function rate(port: number): Promise<number> {
  const clients = Array.from({ length: senders }, () => new Client(port));
  for (const client of clients) await client.greet();
  let left = messages;
  const begin = performance.now();
  await Promise.all(
    clients.map(async (client) => {
      while (left > 0) {
        left -= 1;
        await client.say('MAIL FROM:<a@example.net>\r\n');
        await client.say('RCPT TO:<b@example.com>\r\n');
        await client.say('DATA\r\n');
        await client.say(content);
      }
      client.socket.destroy();
    }),
  );
  return messages / ((performance.now() - begin) / 1000);
}

async function openIdle(port: number): Promise<readonly Client[]> {
  const clients: Client[] = [];
  while (clients.length < idleCount) {
    const some = Array.from({ length: Math.min(50, idleCount - clients.length) }, () => new Client(port));
    await Promise.all(some.map((client) => client.greet()));
    clients.push(...some);
  }
  return clients;
}

const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

try {
  const port = await freePort();
  await stop(await start(port));
  const settings = ['default_transport=discard', 'smtpd_client_connection_count_limit=0', 'smtpd_timeout=3600s'];
  const { status, stderr } = spawnSync(`${bin}/postconf`, ['-c', `${directory}/etc`, '-e', ...settings]);
  if (status !== 0) throw new Error(String(stderr));
  const child = await start(port);
  const pid = child.pid ?? 0;
  await rate(port);
  const alone: number[] = [];
  const among: number[] = [];
  const growth: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await rate(port));
    await pause(3000);
    const before = memoryKib(pid);
    const idle = await openIdle(port);
    await pause(3000);
    growth.push((memoryKib(pid) - before) / idleCount);
    among.push(await rate(port));
    const lost = idle.filter(({ socket }) => socket.destroyed).length;
    if (lost > 0) throw new Error(`${lost} idle sessions were lost`);
    for (const { socket } of idle) socket.destroy();
    await pause(1000);
  }
  const list = (values: readonly number[], digits: number): string =>
    values.map((value) => value.toFixed(digits)).join(', ');
  console.log(`${idleCount} idle sessions, ${messages} messages over ${senders} others, ${rounds} rounds`);
  console.log(`messages a second without them: ${list(alone, 0)}; with them: ${list(among, 0)}`);
  console.log(`kept: ${((median(among) / median(alone)) * 100).toFixed(0)} % (medians)`);
  console.log(`memory an idle session: ${list(growth, 1)} KiB, the first is the one that counts: later ones find room`);
  await stop(child);
} finally {
  if (readdirSync(directory).length > 0) rmSync(directory, { recursive: true, force: true });
}
