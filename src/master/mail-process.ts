/** One generation of the mail process, as the supervisor sees it: started, ready, draining, ended. */
import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { openSocketPair, passDescriptor } from '#native';
import { BoundedLines } from './bounded-lines.ts';
import {
  type FromMail,
  lineToMail,
  longestMessage,
  mailDescriptors,
  type MailStart,
  parseFromMail,
  type ToMail,
} from './control-messages.ts';
import { allocatorEnvironment, mailEngineOptions } from './engine-options.ts';
import type { Listener } from './listeners.ts';
import { describeEnd } from './process-end.ts';
import { startProcess } from './start-process.ts';

export interface MailProcess {
  /** 0: there never was a process. */
  readonly pid: number;
  /** Resolves when it listens; with problems when it could not start. */
  readonly started: Promise<readonly string[]>;
  readonly ended: Promise<string>;
  send(message: ToMail): void;
  /** Tells of a deliverer, with its stream; false where that can't be handed on. */
  sendDeliverer(id: number, stream: number): boolean;
  kill(): void;
}

export interface MailProcessOptions {
  /** The program to run: arguments for `process.execPath` before the role's own. */
  readonly entry: readonly string[];
  readonly start: Omit<MailStart, 'hasLogFile' | 'listeners'>;
  readonly listeners: readonly Listener[];
  readonly logFd: number | undefined;
  readonly onMessage: (message: FromMail) => void;
  /** A line that the process printed on standard error. */
  readonly onComplaint: (text: string) => void;
  /** It is killed for what it sent, or did not read. */
  readonly onBreach: (what: string) => void;
}

/** Bytes of a line on standard error. */
const longestComplaint = 4096;
/** Bytes that a mail process may leave unread. */
const mostUnread = 1_048_576;

/** Starts a mail process. Its listeners and log are inherited descriptors. */
export function startMailProcess(options: MailProcessOptions): MailProcess {
  const start: MailStart = {
    ...options.start,
    hasLogFile: options.logFd !== undefined,
    listeners: options.listeners.map((listener, i) => ({ ...listener, fd: mailDescriptors.firstListener + i })),
  };
  const failed = Promise.withResolvers<string>();
  const handed = openSocketPair('messages');
  const child = handed === undefined ? undefined : spawnMail(options, start, handed.theirs, failed.resolve);
  if (handed === undefined) failed.resolve('no descriptors are left');
  else closeSync(handed.theirs);
  if (handed === undefined || child === undefined) {
    if (handed !== undefined) closeSync(handed.ours);
    const started = failed.promise.then((reason) => [`the mail process can't be started: ${reason}`]);
    return {
      pid: 0,
      started,
      ended: failed.promise,
      send: () => undefined,
      sendDeliverer: () => false,
      kill: () => undefined,
    };
  }
  const complaints = new BoundedLines(longestComplaint);
  // what a process prints while it dies is the only trace of why
  child.stderr?.on('data', (chunk: Buffer) => complaints.push(chunk).forEach(options.onComplaint));
  child.stderr?.on('error', () => child.stderr?.destroy());
  child.stderr?.once('end', () => complaints.end().forEach(options.onComplaint));
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      hasEnded = true;
      closeSync(handed.ours);
      resolve(describeEnd(code, signal));
    });
  });
  const ready = Promise.withResolvers<readonly string[]>();
  void ended.then((how) => ready.resolve([`the mail process ended before it was ready: ${how}`]));
  const channel = openChannel(child, {
    isOver: () => hasEnded,
    onMessage: (message) => {
      if (message.kind === 'ready') ready.resolve([]);
      if (message.kind === 'failed') ready.resolve(message.problems);
      options.onMessage(message);
    },
    onBreach: options.onBreach,
  });
  return {
    pid: child.pid ?? 0,
    started: ready.promise,
    ended,
    send: channel,
    sendDeliverer: (id, stream) => {
      if (hasEnded || !passDescriptor(handed.ours, stream)) return false;
      channel({ kind: 'deliverer', id });
      return true;
    },
    kill: () => child.kill('SIGKILL'),
  };
}

function spawnMail(
  { entry, logFd, listeners }: MailProcessOptions,
  start: MailStart,
  handedFd: number,
  onFailure: (reason: string) => void,
): ChildProcess | undefined {
  return startProcess(
    [process.execPath, ...mailEngineOptions, ...entry, 'mail', JSON.stringify(start)],
    {
      env: { ...process.env, ...allocatorEnvironment },
      stdio: ['ignore', 'inherit', 'pipe', logFd ?? 'ignore', 'pipe', handedFd, ...listeners.map(({ fd }) => fd)],
    },
    onFailure,
  );
}

interface ChannelEvents {
  readonly isOver: () => boolean;
  readonly onMessage: (message: FromMail) => void;
  readonly onBreach: (what: string) => void;
}

/**
 * Gives what tells the process something. Node's own channel would do as it is told in messages of its own kind; over
 * this one nothing comes but what `parseFromMail` knows.
 */
function openChannel(child: ChildProcess, { isOver, onMessage, onBreach }: ChannelEvents): (message: ToMail) => void {
  const stream = child.stdio[mailDescriptors.channel];
  const socket = stream instanceof Socket ? stream : new Socket();
  const lines = new BoundedLines(longestMessage);
  let isBroken = false;
  const breach = (what: string): void => {
    isBroken = true;
    socket.destroy();
    if (!isOver()) onBreach(what);
    child.kill('SIGKILL');
  };
  socket.on('error', () => socket.destroy());
  // a process that it left behind must not speak for it
  child.once('exit', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    for (const line of lines.push(chunk)) {
      if (isBroken || isOver()) return;
      const message = parseFromMail(line);
      if (message === undefined) return breach('it sent what is no message');
      onMessage(message);
    }
  });
  return (message) => {
    if (socket.destroyed) return;
    if (socket.writableLength > mostUnread) return breach('it does not read what it is told');
    socket.write(lineToMail(message));
  };
}
