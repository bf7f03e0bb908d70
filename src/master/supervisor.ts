/**
 * master(8): opens the listening sockets, starts the mail process and the deliverers, restarts what dies, reloads.
 * Runs as root where it was started so, and therefore never touches a byte of mail.
 */
import { closeSync } from 'node:fs';
import { type Configuration, ConfigError, loadConfiguration, type Settings } from '#config';
import { type EventChannel, panicOf } from '#events';
import { thrownText } from '#native';
import type { FromMail } from './control-messages.ts';
import { delivererRights, type Identity } from './deliverer-rights.ts';
import { Deliverers } from './deliverers.ts';
import { Listeners } from './listeners.ts';
import { type MailProcess, startMailProcess } from './mail-process.ts';
import { InTurn } from './in-turn.ts';
import { markReloaded } from './reload-mark.ts';
import { type RootMailbox, rootMailbox } from './root-mailbox.ts';
import { SpawnServices } from './spawn-services.ts';
import { lockSystem, type SystemLocks } from './system-locks.ts';

export interface SupervisorOptions {
  readonly directory: string;
  readonly entry: readonly string[];
  readonly version: string;
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  /** Descriptor of the log file as it is now. */
  readonly logFd: () => number | undefined;
  /** Opens the log anew, as changed settings have it; gives what keeps it from that. */
  readonly reopenLog: (settings: Settings) => readonly string[];
  readonly events: EventChannel;
  /** Channel of spawn(8) (`postfix/spawn`). */
  readonly spawnEvents: EventChannel;
  /** Writes what has gathered in the log. */
  readonly flushLog: () => void;
}

/** As whom a generation of the mail process may deliver. */
interface Rights {
  /** Undefined: not as root. */
  readonly mailbox: RootMailbox | undefined;
  readonly allows: (who: Identity) => boolean;
}

const noSuchRights = 'neither the user database nor the configuration gives the user that group';
/** `postfix stop` waits a little longer. */
const stopLimitMs = 5500;
const leastDelivererMs = 1500;
const maxThrottleMs = 60_000;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #listeners = new Listeners();
  readonly #deliverers: Deliverers;
  #spawnServices: SpawnServices | undefined;
  #queueDirectory = '';
  #locks: SystemLocks | undefined;
  #current: MailProcess | undefined;
  /** Not ready yet. */
  #starting: MailProcess | undefined;
  #draining = new Set<MailProcess>();
  #stopping = false;
  #restartDelayMs = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  /** One generation starts at a time: what is asked for meanwhile waits. */
  readonly #starts = new InTurn();
  #nextReload: Promise<readonly string[]> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const onStopped = (pid: number): void => {
      options.events.emit({ kind: 'warning', text: `the delivery process ${pid} was stopped by a signal: killing it` });
    };
    this.#deliverers = new Deliverers(options.entry, { onStopped });
  }

  /** Starts everything; problems when it can't. Never rejects. */
  start(): Promise<readonly string[]> {
    return this.#starts.run(() => this.#start());
  }

  async #start(): Promise<readonly string[]> {
    try {
      const configuration = loadConfiguration(this.#options.directory);
      const { settings } = configuration;
      this.#queueDirectory = settings.string('queue_directory');
      const locking = lockSystem({
        queueDirectory: this.#queueDirectory,
        dataDirectory: settings.string('data_directory'),
        owner: this.#options.owner,
      });
      if (locking.kind !== 'held') return [locking.problem];
      this.#locks = locking.locks;
      // beside the mail process, so that the machine is quiet when it serves; an ordinary user's deliveries need none
      if (this.#options.owner !== undefined) this.#deliverers.prepare(this.#queueDirectory);
      const problems = await this.#startGeneration(configuration);
      if (problems.length > 0) {
        await this.#leave();
        return problems;
      }
    } catch (error) {
      await this.#leave();
      return this.#problemsOf(error, '');
    }
    const { version, directory, events } = this.#options;
    events.emit({ kind: 'daemonStarted', version, directory });
    return [];
  }

  /**
   * A new generation with the new configuration; the old one finishes its sessions. A broken configuration changes nothing:
   * what is wrong with it is logged, and given back as it is logged. Nor does a broken machine. Never rejects.
   */
  reload(): Promise<readonly string[]> {
    // one that has not begun yet will find the newest configuration
    this.#nextReload ??= this.#starts.run(() => {
      this.#nextReload = undefined;
      return this.#reload();
    });
    return this.#nextReload;
  }

  /** For the `postfix reload` that waits: how the one that has just ended did so. */
  markReloaded(refused: readonly string[]): void {
    // without locks the system is being stopped: nobody waits any more
    if (this.#locks !== undefined) markReloaded(this.#locks.pidDirectory, refused);
  }

  async #reload(): Promise<readonly string[]> {
    if (this.#stopping) return [];
    const { version, directory, events } = this.#options;
    const before = this.#current;
    for (const process of [...this.#draining, ...(before === undefined ? [] : [before])])
      process.send({ kind: 'reopenLog' });
    try {
      const configuration = loadConfiguration(directory);
      const unopened = this.#options.reopenLog(configuration.settings);
      const problems = unopened.length > 0 ? unopened : await this.#startGeneration(configuration);
      if (problems.length > 0) throw new ConfigError(problems);
    } catch (error) {
      const refusal = 'reload refused, the old configuration stays: ';
      const problems = this.#problemsOf(error, refusal);
      if (this.#stopping) return [];
      const refused = problems.map((text) => `${refusal}${text}`);
      if (error instanceof ConfigError) for (const text of refused) events.emit({ kind: 'error', text });
      return refused;
    }
    events.emit({ kind: 'reloaded', version, directory });
    if (before !== undefined) this.#drain(before);
    return [];
  }

  #drain(process: MailProcess): void {
    this.#draining.add(process);
    process.send({ kind: 'drain' });
    void process.ended.then(() => {
      this.#draining.delete(process);
      this.#current?.send({ kind: 'generationEnded' });
    });
  }

  async #startGeneration(configuration: Configuration): Promise<readonly string[]> {
    const spawnServices = new SpawnServices({
      configuration,
      events: this.#options.spawnEvents,
      owner: this.#options.owner,
    });
    const rights = { mailbox: rootMailbox(configuration.settings), allows: delivererRights(configuration) };
    const listeners = await this.#listeners.open(configuration);
    const { directory, entry, owner, logFd, events } = this.#options;
    let process: MailProcess;
    try {
      process = startMailProcess({
        entry,
        start: { directory, ...owner },
        listeners: listeners.all.filter(({ command }) => command !== 'spawn'),
        logFd: logFd(),
        onMessage: (message) => this.#onMessage(process, message, rights),
        onComplaint: (text) => events.emit({ kind: 'error', text: `the mail process says: ${text}` }),
        onBreach: (what) => events.emit({ kind: 'error', text: `the mail process is killed: ${what}` }),
      });
    } catch (error) {
      listeners.drop();
      throw error;
    }
    this.#starting = process;
    const problems = await process.started;
    this.#starting = undefined;
    if (problems.length > 0) {
      listeners.drop();
      return problems;
    }
    listeners.keep();
    this.#current = process;
    const startedAt = Date.now();
    void process.ended.then((how) => this.#onEnd(process, how, Date.now() - startedAt));
    this.#spawnServices?.close();
    this.#spawnServices = spawnServices;
    try {
      await spawnServices.listen(listeners.all);
    } catch (error) {
      events.emit({
        kind: 'error',
        text: `services of spawn(8): ${thrownText(error)}`,
      });
    }
    return [];
  }

  /** What people are told. Only a ConfigError is theirs: all else is logged with its stack, as what kept from `doing`. */
  #problemsOf(error: unknown, doing: string): readonly string[] {
    if (error instanceof ConfigError) return error.problems;
    this.#options.events.emit(panicOf(error, doing));
    return [thrownText(error)];
  }

  #onMessage(process: MailProcess, message: FromMail, rights: Rights): void {
    if (message.kind === 'killDeliverer') return this.#killDeliverer(`${process.pid} ${message.id}`);
    if (message.kind !== 'startDeliverer') return;
    const { id, uid, gid } = message;
    const onError = (reason: string): void => process.send({ kind: 'delivererFailed', id, reason });
    const limits = uid === 0 ? rights.mailbox : undefined;
    if (uid === 0 && limits === undefined) return onError('delivery as root is refused');
    try {
      if (uid !== 0 && !rights.allows({ uid, gid }))
        return onError(`delivery as user ${uid} with group ${gid} is refused: ${noSuchRights}`);
    } catch (error) {
      return onError(thrownText(error));
    }
    const stream = this.#deliverers.start(
      { name: `${process.pid} ${id}`, uid, gid, onError, ...(limits === undefined ? {} : { limits }) },
      this.#queueDirectory,
    );
    if (stream === undefined) return;
    const isSent = process.sendDeliverer(id, stream);
    closeSync(stream);
    if (!isSent) onError("the delivery process can't be handed on");
  }

  #killDeliverer(name: string): void {
    const processId = this.#deliverers.kill(name);
    if (processId === undefined) return;
    this.#options.events.emit({ kind: 'processEnded', role: 'deliverer', processId, status: 'killed by signal 9' });
  }

  #onEnd(process: MailProcess, how: string, livedMs: number): void {
    if (this.#stopping || this.#draining.has(process) || this.#current !== process) return;
    const { events } = this.#options;
    events.emit({ kind: 'processEnded', role: 'mail', processId: process.pid, status: how });
    this.#current = undefined;
    this.#restartDelayMs = livedMs > maxThrottleMs ? 0 : Math.min(maxThrottleMs, this.#restartDelayMs * 2 + 100);
    if (this.#restartDelayMs > 10_000)
      events.emit({ kind: 'throttled', role: 'mail', seconds: this.#restartDelayMs / 1000 });
    this.#restartLater();
  }

  #restartLater(): void {
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => void this.#starts.run(() => this.#restart()), this.#restartDelayMs);
  }

  async #restart(): Promise<void> {
    if (this.#stopping || this.#current !== undefined) return;
    let problems: readonly string[];
    try {
      problems = await this.#startGeneration(loadConfiguration(this.#options.directory));
    } catch (error) {
      problems = this.#problemsOf(error, '');
    }
    if (problems.length === 0 || this.#stopping) return;
    for (const text of problems) this.#options.events.emit({ kind: 'fatal', text });
    this.#restartDelayMs = Math.min(maxThrottleMs, this.#restartDelayMs * 2 + 1000);
    this.#restartLater();
  }

  /** `delivererLimitMs`: what deliverers have to come to their end. */
  async #leave(delivererLimitMs = leastDelivererMs): Promise<void> {
    await this.#deliverers.stop(delivererLimitMs);
    this.#locks?.release();
    this.#locks = undefined;
  }

  /** Ends all processes, the pid file last. */
  async stop(signal: number): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    clearTimeout(this.#restartTimer);
    this.#options.events.emit({ kind: 'terminating', signal });
    this.#options.flushLog();
    const running = [...this.#draining, this.#current, this.#starting].filter((one) => one !== undefined);
    for (const process of running) process.send({ kind: 'stop' });
    const begunAt = performance.now();
    const timer = setTimeout(() => running.forEach((process) => process.kill()), 4000);
    await Promise.all(running.map((process) => process.ended));
    clearTimeout(timer);
    this.#spawnServices?.close();
    await this.#leave(Math.max(leastDelivererMs, stopLimitMs - (performance.now() - begunAt)));
  }
}
