/**
 * The control sockets of a running system: `public/control` for anybody (list, status, flush), `private/control` for root and
 * $mail_owner, who alone may enter that directory. One JSON line asks, JSON lines answer. postqueue(1), postsuper(1)
 */
import { chmodSync, renameSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { EventChannel } from '#events';
import { listenOn } from '#master';
import { peerUserOf, thrownText } from '#native';
import { answer, checkRight, type ControlTools, type Write } from './control-answers.ts';
import { ControlAskers } from './control-askers.ts';
import { parseRequest } from './control-request.ts';

export interface ControlServerOptions extends ControlTools {
  readonly queueDirectory: string;
  /** What postqueue(1) is refused goes here: an ordinary user could not write the log. */
  readonly events: EventChannel;
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
