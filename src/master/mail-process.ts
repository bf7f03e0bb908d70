/** One generation of the mail process, as the supervisor sees it: started, ready, draining, ended. */
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { FromMail, MailStart, ToMail } from './control-messages.ts';
import { parseFromMail } from './control-messages.ts';
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
  /** `stream` is the process's from then on; closed where there is no process any more. */
  send(message: ToMail, stream?: Socket): void;
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
  const failed = Promise.withResolvers<string>();
  const child = startProcess(
    [process.execPath, ...mailEngineOptions, ...options.entry, 'mail', JSON.stringify(start)],
    {
      env: { ...process.env, ...allocatorEnvironment },
      stdio: ['ignore', 'inherit', 'pipe', options.logFd ?? 'ignore', 'ipc', ...options.listeners.map(({ fd }) => fd)],
    },
    failed.resolve,
  );
  if (child === undefined) {
    const started = failed.promise.then((reason) => [`the mail process can't be started: ${reason}`]);
    return {
      pid: 0,
      started,
      ended: failed.promise,
      send: (_message, stream) => stream?.destroy(),
      kill: () => undefined,
    };
  }
  // what a process prints while it dies is the only trace of why
  if (child.stderr !== null) createInterface({ input: child.stderr }).on('line', options.onComplaint);
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(describeEnd(code, signal)));
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
    pid: child.pid ?? 0,
    started,
    ended,
    send: (message, stream) => {
      if (child.connected)
        child.send(message, stream, (error) => {
          if (error !== null) stream?.destroy();
        });
      else stream?.destroy();
    },
    kill: () => child.kill('SIGKILL'),
  };
}
