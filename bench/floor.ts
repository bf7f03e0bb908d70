/**
 * What a message into a Maildir costs any program on Node on this machine before it has looked at one byte: the replies
 * of an SMTP session each, a synced file, a synced queue. What a message costs Posthorn can be held against it.
 * Needs smtp-source of Debian's package postfix. Run: node_modules/.bin/node bench/floor.ts [messages] [directory]
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fsyncSync, mkdirSync, mkdtempSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const sessions = 20;
const messageBytes = 10_240;
/** Messages that are committed together when twenty sessions send. */
const batchSize = 10;

/** Says the replies that a client waits for, and reads content up to its last line without looking into it. */
function answer(socket: Socket): void {
  let readsContent = false;
  let tail = '';
  socket.setNoDelay(true).write('220 mail.example.com ESMTP\r\n');
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    if (readsContent) {
      tail = (tail + bytes.toString('latin1', Math.max(0, bytes.length - 5))).slice(-5);
      if (tail !== '\r\n.\r\n') return;
      readsContent = false;
      socket.write('250 2.0.0 Ok: queued\r\n');
      return;
    }
    const first = bytes[0];
    if (first === 0x44 /* D */) {
      readsContent = true;
      socket.write('354 End data with <CR><LF>.<CR><LF>\r\n');
    } else if (first === 0x51 /* Q */) socket.end('221 2.0.0 Bye\r\n');
    else socket.write('250 2.1.0 Ok\r\n');
  });
}

/** Files of a Maildir: written under `tmp`, synced, moved to `new`. */
function writeFiles(directory: string, count: number): void {
  const content = Buffer.alloc(messageBytes, 'x');
  for (const name of ['tmp', 'new']) mkdirSync(join(directory, name), { recursive: true });
  for (let i = 0; i < count; i += 1) {
    const name = `${process.hrtime.bigint()}.${i}`;
    const fd = openSync(join(directory, 'tmp', name), 'wx', 0o600);
    writeSync(fd, content);
    fsyncSync(fd);
    closeSync(fd);
    renameSync(join(directory, 'tmp', name), join(directory, 'new', name));
  }
}

/** Messages put into a queue database and taken out again, some in each synced transaction. */
function keepQueue(directory: string, count: number): void {
  const database = new DatabaseSync(join(mkdtempSync(join(directory, 'queue-')), 'queue.db'));
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE message (id INTEGER PRIMARY KEY, content BLOB)',
  );
  const put = database.prepare('INSERT INTO message VALUES (?, ?)');
  const remove = database.prepare('DELETE FROM message WHERE id = ?');
  const content = Buffer.alloc(messageBytes, 'x');
  for (let first = 0; first < count + batchSize; first += batchSize) {
    database.exec('BEGIN');
    for (let id = first; id < Math.min(first + batchSize, count); id += 1) put.run(id, content);
    for (let id = first - batchSize; id < first; id += 1) if (id >= 0) remove.run(id);
    database.exec('COMMIT');
  }
  database.close();
}

/** A process of its own for each part: what it used since `before` is told when it is asked. */
function measured(work: (count: number) => void): void {
  process.on('message', (count: number) => {
    const before = process.cpuUsage();
    work(count);
    const { user, system } = process.cpuUsage(before);
    process.send?.((user + system) / count);
  });
}

function serveReplies(): void {
  let before = process.cpuUsage();
  const server = createServer(answer).listen(0, '127.0.0.1', () => {
    const address = server.address();
    process.send?.(typeof address === 'object' ? address?.port : 0);
  });
  process.on('message', (count: number) => {
    const { user, system } = process.cpuUsage(before);
    process.send?.((user + system) / count);
    before = process.cpuUsage();
  });
}

async function told(child: ChildProcess): Promise<number> {
  const [value] = await once(child, 'message');
  return Number(value);
}

/** µs of CPU a message; the first round, in which code is compiled, doesn't count. */
async function cpuOf(part: string, directory: string, count: number): Promise<number> {
  const child = fork(import.meta.filename, [part, directory], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  try {
    const port = part === 'replies' ? await told(child) : 0;
    let spent = 0;
    for (let round = 0; round < 2; round += 1) {
      if (part === 'replies') await send(port, count);
      child.send(count);
      spent = await told(child);
    }
    return spent;
  } finally {
    child.kill();
  }
}

async function send(port: number, count: number): Promise<void> {
  const options = ['-s', sessions, '-l', messageBytes, '-m', count, '-f', 'a@src.example', '-t', 'x@dst.example'];
  const source = spawn('smtp-source', [...options, `127.0.0.1:${port}`].map(String), { stdio: 'inherit' });
  const [status] = await once(source, 'exit');
  if (status !== 0) throw new Error(`smtp-source ended with ${status}`);
}

async function main(): Promise<void> {
  const count = Number(process.argv[2] ?? 4000);
  const directory = mkdtempSync(join(process.argv[3] ?? tmpdir(), 'posthorn-bench-'));
  let sum = 0;
  try {
    for (const part of ['replies', 'file', 'queue']) {
      const spent = await cpuOf(part, directory, count);
      sum += spent;
      console.log(`${part.padEnd(8)} ${spent.toFixed(0).padStart(5)} µs of CPU a message`);
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(`together ${sum.toFixed(0).padStart(5)}`);
}

const [, , part, directory = ''] = process.argv;
if (part === 'replies') serveReplies();
else if (part === 'file') measured((count) => writeFiles(directory, count));
else if (part === 'queue') measured((count) => keepQueue(directory, count));
else await main();
