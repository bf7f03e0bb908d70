/**
 * The control sockets of a running system: `public/control` for anybody (list, status, flush), `private/control` for root and
 * $mail_owner, who alone may enter that directory. One JSON line asks, JSON lines answer. postqueue(1), postsuper(1)
 */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { EventChannel } from '#events';
import { listenOn } from '#master';
import type { MaybePromise } from '#message';
import { peerUserOf, thrownText } from '#native';
import type { Requeuer } from '#pickup';
import type { QueueManager } from '#qmgr';
import { listedPart, type MessageSelector, type QueueStore, StoreError } from '#store';
import { ControlAskers } from './control-askers.ts';
import { type ControlRequest, type LogLine, parseRequest } from './control-request.ts';

export interface ControlServerOptions {
  readonly queueDirectory: string;
  readonly store: QueueStore;
  readonly qmgr: QueueManager;
  readonly requeuer: Requeuer;
  /** False: fast_flush_domains does not hold the site. */
  readonly flushSite: (site: string) => Promise<boolean>;
  /** `name(uid)` of a user who may not. authorized_mailq_users, authorized_flush_users */
  readonly refusedUser: (right: Right, uid: number) => Promise<string | undefined>;
  /** What postqueue(1) is refused goes here: an ordinary user could not write the log. */
  readonly events: EventChannel;
  /** postlog(1) of a user who may not write the log. */
  readonly writeLog: (line: LogLine) => void;
}

/** Bytes that anybody may send. */
const longestQuestion = 65_536;
/** Bytes of a command, which may name all messages of a long queue. */
const longestCommand = 256 * 1024 * 1024;
const requestDeadlineMs = 60_000;
/** For who asked to hang up, once the answer is complete. */
const hangUpDeadlineMs = 10_000;
/** Connections of anybody at once. */
const mostAskers = 100;
const lineEnd = 10;

type Right = 'view' | 'flush';

const rights: Readonly<Record<string, Right>> = {
  list: 'view',
  status: 'view',
  flush: 'flush',
  flushId: 'flush',
  flushSite: 'flush',
};

/** One line of the answer, when there is room for it. */
type Write = (value: unknown) => MaybePromise<void>;

/** A line a message with a part of its recipients, followed by lines with the others. */
async function list(
  { store, qmgr }: Pick<ControlServerOptions, 'store' | 'qmgr'>,
  selector: MessageSelector,
  write: Write,
): Promise<void> {
  for await (const { recipients, queueId, queue, envelope, sizeBytes, dueAt, forcedExpire } of store.list(selector)) {
    let message: object | undefined = { queueId, queue, envelope, sizeBytes, dueAt, forcedExpire };
    try {
      for (const part of recipients.all()) {
        await write({ message, recipients: listedPart(part, recipients.isInParts, qmgr.outcomesOf(queueId)) });
        message = undefined;
        if (recipients.isInParts) await setImmediate();
      }
    } catch (error) {
      // damaged: the message is set aside, with a log line, when it is claimed
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

/** Answers one request; throws for what is not allowed or not known. */
async function answer(
  request: ControlRequest,
  { store, qmgr, requeuer, flushSite, writeLog }: ControlServerOptions,
  isPrivileged: boolean,
  write: Write,
): Promise<void> {
  const selector: MessageSelector = {
    ...(request.queueIds === undefined ? {} : { queueIds: request.queueIds }),
    ...(request.queues === undefined ? {} : { queues: request.queues }),
  };
  switch (request.operation) {
    case 'list':
      return list({ store, qmgr }, selector, write);
    case 'status':
      return write({ status: qmgr.status() });
    case 'flush':
      return qmgr.flush();
    case 'flushId':
      return qmgr.flushById(request.queueIds ?? []);
    case 'flushSite':
      if (!(await flushSite(request.site)))
        throw new Error(`Flush service is not configured for destination "${request.site}"`);
      return;
    case 'remove':
    case 'hold':
    case 'release':
    case 'requeue':
    case 'expire': {
      if (!isPrivileged) throw new Error('only root may change the queue');
      const changed = await store[request.operation](selector);
      const isLeaving = request.operation !== 'release' && request.operation !== 'expire';
      const withdrawn = qmgr.withdraw(isLeaving ? changed : [], request.operation === 'remove' ? 'deleted' : 'wanted');
      await write({ changed });
      // of many messages that takes a while: who asked doesn't wait for it
      if (request.operation === 'requeue') void withdrawn.then(() => requeuer.run());
      // what is released waits for the next scan, as in Postfix
      else if (request.operation === 'remove' || request.operation === 'expire') qmgr.scanNow();
      return;
    }
    case 'log':
      if (request.line === undefined) throw new Error('no line for the log');
      return writeLog(request.line);
    default:
      throw new Error(`unknown operation: ${request.operation}`);
  }
}

/** Throws for a user who may not ask for that. */
async function checkRight(
  operation: string,
  user: number | undefined,
  { refusedUser }: ControlServerOptions,
): Promise<void> {
  const right = rights[operation];
  if (right === undefined) return;
  const who = user === undefined ? 'unknown' : await refusedUser(right, user);
  if (who !== undefined) throw new Error(`User ${who} is not allowed to ${right} the mail queue`);
}

/** The user at the other end; Node has no name for the descriptor of a socket. */
function peerOf(socket: Socket): number | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  const isOpen = typeof handle === 'object' && handle !== null && 'fd' in handle && typeof handle.fd === 'number';
  return isOpen ? peerUserOf(Number(handle.fd)) : undefined;
}

/** Resolves when the reader has caught up; rejects when it went away. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.off('drain', settle);
      socket.off('close', settle);
      if (socket.destroyed) reject(new Error('the reader went away'));
      else resolve();
    };
    if (socket.destroyed) return settle();
    socket.on('drain', settle);
    socket.on('close', settle);
  });
}

/** The line that asks; what comes behind it is nothing. Rejects when it is too long, or does not come. */
function requestLine(socket: Socket, limit: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (end: () => void): void => {
      clearTimeout(timer);
      socket.off('data', take);
      // the end of the connection is seen by reading on
      socket.resume();
      end();
    };
    const fail = (reason: string): void => settle(() => reject(new Error(reason)));
    const take = (chunk: Buffer): void => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limit) fail('request too long');
      else if (chunk.includes(lineEnd)) settle(() => resolve(Buffer.concat(chunks).toString().split('\n', 1)[0] ?? ''));
    };
    const timer = setTimeout(() => {
      fail('no request');
      socket.destroy();
    }, requestDeadlineMs);
    socket.on('data', take);
    socket.once('close', () => fail('the connection was closed'));
  });
}

function serve(socket: Socket, options: ControlServerOptions, askers: ControlAskers, isPrivileged: boolean): void {
  const user = peerOf(socket);
  const asker = askers.admit({ user, destroy: () => socket.destroy() });
  socket.on('error', () => socket.destroy());
  socket.once('close', () => askers.leave(asker));
  // all of the answer is on its way: nothing is left but to hang up
  socket.once('finish', () => {
    asker.isServed = false;
    socket.setTimeout(hangUpDeadlineMs, () => socket.destroy());
  });
  const write: Write = (value) => {
    return socket.write(`${JSON.stringify(value)}\n`) ? undefined : drained(socket);
  };
  const work = async (): Promise<void> => {
    const line = await requestLine(socket, isPrivileged ? longestCommand : longestQuestion);
    asker.isServed = true;
    const request = parseRequest(line);
    if (request === undefined) throw new Error('bad request');
    if (!isPrivileged) await checkRight(request.operation, user, options);
    await answer(request, options, isPrivileged, write);
  };
  work().then(
    () => socket.end(`${JSON.stringify({ ok: true })}\n`),
    (error: unknown) => {
      const reason = thrownText(error);
      if (!isPrivileged && !socket.destroyed) options.events.emit({ kind: 'fatal', text: reason });
      socket.end(`${JSON.stringify({ ok: false, reason })}\n`);
    },
  );
}

/** Opens both sockets. */
export async function startControlServer(options: ControlServerOptions): Promise<{ close(): void }> {
  const servers = await Promise.all(
    (['public', 'private'] as const).map(async (place): Promise<Server> => {
      const path = `${options.queueDirectory}/${place}/control`;
      // the name that is listened on goes when the server closes; a newer generation has taken the other by then
      const own = `${path}.${process.pid}`;
      rmSync(own, { force: true });
      const isPrivileged = place === 'private';
      const askers = new ControlAskers(isPrivileged ? Infinity : mostAskers);
      const server = createServer((socket) => serve(socket, options, askers, isPrivileged));
      await listenOn(server, { path: own }, (text) => options.events.emit({ kind: 'warning', text }));
      chmodSync(own, place === 'public' ? 0o666 : 0o600);
      renameSync(own, path);
      return server;
    }),
  );
  return {
    close: () => {
      for (const server of servers) server.close();
    },
  };
}
