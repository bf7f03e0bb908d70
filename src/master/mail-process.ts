/** One generation of the mail process, as the supervisor sees it: started, ready, draining, ended. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { FromMail, MailStart, ToMail } from './control-messages.ts';
import { parseFromMail } from './control-messages.ts';
import { allocatorEnvironment, mailEngineOptions } from './engine-options.ts';
import { describeEnd } from './process-end.ts';

export interface MailProcess {
  readonly child: ChildProcess;
  /** Resolves when it listens; with problems when it could not start. */
  readonly started: Promise<readonly string[]>;
  readonly ended: Promise<string>;
  send(message: ToMail, stream?: Parameters<ChildProcess['send']>[1]): void;
}

export interface MailProcessOptions {
  /** The program to run: arguments for `process.execPath` before the role's own. */
  readonly entry: readonly string[];
  readonly start: Omit<MailStart, 'hasLogFile' | 'listeners'>;
  readonly listeners: readonly {
    readonly service: string;
    readonly address: string;
    readonly port: number;
    readonly fd: number;
  }[];
  readonly logFd: number | undefined;
  readonly onMessage: (message: FromMail) => void;
  /** A line that the process printed on standard error. */
  readonly onComplaint: (text: string) => void;
}

/** First descriptor of the child that carries a listener: 0 to 2 are standard, 3 is the log, 4 the channel. */
const firstListenerFd = 5;

/** Starts a mail process. Its listeners and log are inherited descriptors. */
export function startMailProcess(options: MailProcessOptions): MailProcess {
  const start: MailStart = {
    ...options.start,
    hasLogFile: options.logFd !== undefined,
    listeners: options.listeners.map((listener, i) => ({ ...listener, fd: firstListenerFd + i })),
  };
  const child = spawn(process.execPath, [...mailEngineOptions, ...options.entry, 'mail', JSON.stringify(start)], {
    env: { ...process.env, ...allocatorEnvironment },
    stdio: ['ignore', 'inherit', 'pipe', options.logFd ?? 'ignore', 'ipc', ...options.listeners.map(({ fd }) => fd)],
  });
  // what a process prints while it dies is the only trace of why
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', options.onComplaint);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(describeEnd(code, signal)));
    child.once('error', (error) => resolve(error.message));
  });
  const started = new Promise<readonly string[]>((resolve) => {
    child.on('message', (value) => {
      const message = parseFromMail(value);
      if (message?.kind === 'ready') resolve([]);
      if (message?.kind === 'failed') resolve(message.problems);
      if (message !== undefined) options.onMessage(message);
    });
    void ended.then((how) => resolve([`the mail process ended before it was ready: ${how}`]));
  });
  return {
    child,
    started,
    ended,
    send: (message, stream) => {
      if (child.connected) child.send(message, stream, () => undefined);
    },
  };
}
