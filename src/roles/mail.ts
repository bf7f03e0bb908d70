/** The mail process: started by the supervisor, loads its code as root, then is $mail_owner for good. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { flushCompileCache } from 'node:module';
import { ConfigError, type Configuration, loadConfiguration } from '#config';
import { createLocalPool, createProcessPool } from '#delivery';
import { EventLog } from '#events';
import { type FromMail, mailDescriptors, openSupervisorChannel, parseMailStart } from '#master';
import { becomeMailOwner, returnMemoryWhenQuiet, trimAllocator } from '#native';
import { loadWriterThread } from '#store';
import type { TableCopies } from '#tables';
import type { KeyFiles } from '#tls';
import { type MailSystem, startMailSystem } from './mail-system.ts';
import { RunningLog } from './mail-log.ts';
import { nameProcess } from './process-name.ts';
import { copySecretTables } from './secret-tables.ts';
import { readTlsFiles } from './tls-services.ts';

/** Streams of deliverers: those that were asked for and have not come yet, and whose stream is whose. */
class DelivererRequests {
  readonly #waiting = new Map<
    number,
    { readonly resolve: (stream: Socket) => void; readonly reject: (error: Error) => void }
  >();
  readonly #ids = new WeakMap<Duplex, number>();
  readonly #tell: (message: FromMail) => void;
  #next = 0;

  constructor(tell: (message: FromMail) => void) {
    this.#tell = tell;
  }

  request(uid: number, gid: number): Promise<Socket> {
    this.#next += 1;
    const id = this.#next;
    this.#tell({ kind: 'startDeliverer', id, uid, gid });
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  came(id: number, stream: Socket): void {
    this.#ids.set(stream, id);
    this.#waiting.get(id)?.resolve(stream);
    this.#waiting.delete(id);
  }

  kill(stream: Duplex): void {
    const id = this.#ids.get(stream);
    if (id !== undefined) this.#tell({ kind: 'killDeliverer', id });
  }

  failed(id: number, reason: string): void {
    this.#waiting.get(id)?.reject(new Error(reason));
    this.#waiting.delete(id);
  }
}

/** What the system refuses is said in its words; anything else is a mistake of ours, and its place is needed. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? error.message : (error.stack ?? error.message);
}

interface ReadAsRoot {
  readonly configuration: Configuration;
  readonly keyFiles: KeyFiles;
  readonly tableCopies: TableCopies;
}

/** The configuration, certificates, keys and tables; or what is wrong with the configuration. */
function readAsRoot(directory: string): ReadAsRoot | ConfigError {
  try {
    const configuration = loadConfiguration(directory);
    return { configuration, keyFiles: readTlsFiles(configuration), tableCopies: copySecretTables(configuration) };
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
}

/** Argument: MailStart as JSON. */
export async function main(args: readonly string[]): Promise<void> {
  const start = parseMailStart(args[0] ?? '');
  if (start === undefined) throw new Error('the mail process is started by the supervisor');
  nameProcess('mail');
  flushCompileCache();
  let log: EventLog | undefined;
  let system: MailSystem | undefined;
  const end = async (how: 'drain' | 'stop'): Promise<void> => {
    try {
      await system?.[how]();
    } catch (error) {
      // what was not settled is taken over by the next start
      process.stderr.write(`${how}: ${describe(error)}\n`);
    }
    log?.flush();
    process.exit(0);
  };
  let reopenLog = (): void => undefined;
  const tell = openSupervisorChannel({
    onMessage: (message, stream) => {
      if (message.kind === 'deliverer') {
        if (stream !== undefined) deliverers.came(message.id, stream);
        else deliverers.failed(message.id, 'the delivery process ended');
      }
      if (message.kind === 'delivererFailed') deliverers.failed(message.id, message.reason);
      if (message.kind === 'reopenLog') reopenLog();
      if (message.kind === 'drain' || message.kind === 'stop') void end(message.kind);
      if (message.kind === 'generationEnded') void system?.takeOver();
    },
    // without the supervisor nobody would stop this process
    onEnd: () => {
      log?.flush();
      process.exit(1);
    },
  });
  const deliverers = new DelivererRequests(tell);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  // as root: what nobody else may read
  const writerThread = await loadWriterThread();
  const read = readAsRoot(start.directory);
  if (start.uid !== undefined && start.gid !== undefined) becomeMailOwner({ uid: start.uid, gid: start.gid });
  process.umask(0o077);
  try {
    if (read instanceof ConfigError) throw read;
    const { settings } = read.configuration;
    const sink = new RunningLog(settings, start.hasLogFile ? mailDescriptors.log : undefined);
    // where it can't, master tells of it
    reopenLog = () => void sink.reopen(settings);
    log = new EventLog([sink]);
    system = await startMailSystem({
      ...read,
      log,
      listeners: start.listeners,
      store: { writerThread },
      // started by an ordinary user, the system can act as nobody else
      deliverers:
        start.uid === undefined
          ? createLocalPool(process.getuid?.() ?? 0, settings.ms('daemon_timeout'))
          : createProcessPool((uid, gid) => deliverers.request(uid, gid), {
              watchdog: { limitMs: settings.ms('daemon_timeout'), kill: (stream) => deliverers.kill(stream) },
            }),
    });
    tell({ kind: 'ready' });
    returnMemoryWhenQuiet(trimAllocator);
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [describe(error)];
    tell({ kind: 'failed', problems });
    setTimeout(() => process.exit(1), 200);
  }
}
