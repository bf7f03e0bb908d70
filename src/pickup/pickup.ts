/**
 * Watches the maildrop directory, and brings what `sendmail` left there into the queue. pickup(8)
 *
 * A file is removed once cleanup has the message on disk, or has refused it for good; until then it stays and is tried
 * again at the next scan. What could not be removed would be sent again and again: where nothing can be removed nothing is
 * taken, and a single file that stays is noted as taken.
 */
import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Bouncer } from '#bounce';
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { SubmissionPort } from '#message';
import { errnoOf, errnoText } from '#native';
import type { SenderRight } from '#tables';
import { type RefusedMail, refusedMail, returnToSender } from './return-mail.ts';
import { type MaildropFile, takeMaildropFile } from './maildrop-file.ts';
import { type PickupSettings, readPickupSettings } from './settings.ts';
import { reasonNothingCanBeRemoved } from './removal.ts';
import { fileRecipients, submitFile } from './submit.ts';
import { TakenFiles } from './taken-files.ts';

export interface PickupOptions {
  /** $queue_directory/maildrop */
  readonly directory: string;
  /** Where files are noted that could not be removed. */
  readonly takenDirectory: string;
  readonly submission: SubmissionPort;
  readonly settings: Settings;
  readonly events: EventChannel;
  /** Tells senders of mail that cleanup refuses, and logs it in cleanup's name. */
  readonly bouncer: Bouncer;
  readonly cleanupEvents: EventChannel;
  /** `name(uid)` of a user who may not submit mail. authorized_submit_users */
  readonly refusedUser?: (uid: number) => Promise<string | undefined>;
  /** Whether a user may give this sender: sendmail asks too, but anybody may write to the directory. local_login_sender_maps */
  readonly senderRight?: (uid: number, sender: string) => Promise<SenderRight>;
  readonly now?: () => number;
  /** unlink(2); for tests. */
  readonly remove?: (path: string) => Promise<void>;
  /** Time between scans, ms; master.cf's wakeup time of pickup. */
  readonly scanIntervalMs?: number;
}

export interface Pickup {
  /** Looks at once, and from now on whenever a file is left, or the interval is over. Resolves when it has looked. */
  start(): Promise<void>;
  /** Resolves when no file is being worked on any more. */
  stop(): Promise<void>;
  /** Looks at once; for `postdrop` triggers and tests. Resolves when the files found have been worked on. */
  scan(): Promise<void>;
}

const MAX_AT_ONCE = 20;

/** Of larger files one is worked on at a time: a local user may hand in envelopes of many megabytes. */
const largeBytes = 1 << 20;

export function createPickup(options: PickupOptions): Pickup {
  return new MaildropWatcher(options, readPickupSettings(options.settings));
}

class MaildropWatcher implements Pickup {
  readonly #options: PickupOptions;
  readonly #settings: PickupSettings;
  /** Names waiting for their turn, each with what tells that it has had it; and names in work. */
  readonly #waiting = new Map<string, PromiseWithResolvers<void>>();
  readonly #working = new Map<string, Promise<void>>();
  readonly #taken: TakenFiles;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** Settles when the large files that came before have had their turns. */
  #large: Promise<void> = Promise.resolve();

  constructor(options: PickupOptions, settings: PickupSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#taken = new TakenFiles(options.takenDirectory);
  }

  async start(): Promise<void> {
    const { directory, events, scanIntervalMs = 60_000 } = this.#options;
    this.#watcher = watch(directory, (_event, name) => {
      if (name !== null) void this.#add(name);
    });
    this.#watcher.on('error', (error) =>
      events.emit({ kind: 'warning', text: `watch ${directory}: ${error.message}` }),
    );
    this.#timer = setInterval(() => void this.#takeUp(), scanIntervalMs);
    // the work goes on by itself: it may be much
    await this.#takeUp();
  }

  async stop(): Promise<void> {
    this.#watcher?.close();
    clearInterval(this.#timer);
    for (const turn of this.#waiting.values()) turn.resolve();
    this.#waiting.clear();
    await Promise.all(this.#working.values());
  }

  async scan(): Promise<void> {
    const names = await this.#look();
    await Promise.all(names.map((name) => this.#add(name)));
  }

  /** Begins work on what is there, unless that is still being looked for: a disk may be slow. */
  async #takeUp(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    for (const name of await this.#look()) void this.#add(name);
    this.#isLooking = false;
  }

  /** Names of files; forgets notes of those that are gone. */
  async #look(): Promise<readonly string[]> {
    const { directory, events } = this.#options;
    let names: readonly string[] = [];
    try {
      const taken = await this.#taken.names();
      names = await readdir(directory);
      const here = new Set(names);
      for (const name of taken) if (!here.has(name)) await this.#taken.forget(name);
    } catch (error) {
      events.emit({ kind: 'warning', text: `scan directory ${directory}: ${errnoText(error)}` });
    }
    return names;
  }

  /** Resolves when the file has had its turn, the one after that which it may be having. */
  async #add(name: string): Promise<void> {
    if (name.startsWith('.')) return;
    const turn = this.#waiting.get(name) ?? Promise.withResolvers<void>();
    this.#waiting.set(name, turn);
    this.#startWork();
    await turn.promise;
  }

  #startWork(): void {
    for (const [name, turn] of this.#waiting) {
      if (this.#working.size >= MAX_AT_ONCE) return;
      if (this.#working.has(name)) continue;
      this.#waiting.delete(name);
      const work = this.#handle(name).finally(() => {
        this.#working.delete(name);
        turn.resolve();
        this.#startWork();
      });
      this.#working.set(name, work);
    }
  }

  async #handle(name: string): Promise<void> {
    const { directory, events } = this.#options;
    const path = join(directory, name);
    try {
      if ((await lstat(path)).size < largeBytes) return await this.#work(path, name);
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = this.#large;
      this.#large = promise;
      try {
        await before;
        await this.#work(path, name);
      } finally {
        resolve();
      }
    } catch (error) {
      // Taken away between the notice and the look: the writer gave up, or it is done already.
      if (errnoOf(error) === 'ENOENT') return;
      events.emit({ kind: 'warning', text: `${path}: ${errnoText(error)}` });
    }
  }

  async #work(path: string, name: string): Promise<void> {
    const { directory, events } = this.#options;
    const opened = await takeMaildropFile(path);
    if (opened.kind === 'incomplete') return;
    if (opened.kind === 'malformed') {
      events.emit({ kind: 'warning', text: `${path}: ${opened.reason} -- removed` });
      await unlink(path);
      return;
    }
    // nobody else gets it before it is removed
    await using file = opened.file;
    const stays = reasonNothingCanBeRemoved(directory);
    if (stays !== undefined) {
      events.emit({ kind: 'warning', text: `${path}: left, as it could not be removed afterwards: ${stays}` });
      return;
    }
    const isTaken = await this.#taken.has(name, file.identity);
    if (!isTaken && !(await this.#pickUp(path, file))) return;
    await this.#removeTaken(path, name, file.identity);
  }

  /** To be called while the file is locked, so that pickup of another generation sees that it is gone, or the note about it. */
  async #removeTaken(path: string, name: string, identity: string): Promise<void> {
    const { events, remove = unlink } = this.#options;
    try {
      await remove(path);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return;
      events.emit({ kind: 'warning', text: `${path}: ${errnoText(error)}` });
      await this.#taken.add(name, identity);
      return;
    }
    await this.#taken.forget(name);
  }

  /** Whether the file has had its time. */
  async #pickUp(path: string, file: MaildropFile): Promise<boolean> {
    const { submission, events, now = Date.now } = this.#options;
    const refused = await this.#options.refusedUser?.(file.uid);
    if (refused !== undefined) {
      events.emit({ kind: 'warning', text: `${path}: User ${refused} is not allowed to submit mail -- removed` });
      return true;
    }
    const right = await this.#options.senderRight?.(file.uid, file.envelope.sender);
    if (right !== undefined && right.kind !== 'allowed') {
      const isFinal = right.kind === 'refused';
      const fate = isFinal ? 'removed' : 'left for later';
      events.emit({ kind: 'warning', text: `${path}: uid=${file.uid}: ${right.reason} -- ${fate}` });
      return isFinal;
    }
    const submitted = await submitFile(file, { submission, settings: this.#settings, events, now });
    const { result } = submitted;
    if (result.kind === 'queued') return true;
    if (result.code < 500) {
      // what a rule says is in the log already
      const { queueId } = submitted;
      if (!result.isRuleText)
        events.emit({ kind: 'warning', text: `${maildropPath(path)}: error writing ${queueId}: ${result.text}` });
      return false;
    }
    const refusal = refusedMail(submitted, result, () => fileRecipients(file), now());
    return this.#return(path, { ...refusal, content: () => file.content() });
  }

  /** The file goes only after the notice is on disk. */
  async #return(path: string, mail: RefusedMail): Promise<boolean> {
    const { bouncer, cleanupEvents, events } = this.#options;
    const told = await returnToSender(mail, bouncer, cleanupEvents);
    if (!told.ok) events.emit({ kind: 'warning', text: `${path}: unable to return the message: ${told.reason}` });
    return told.ok;
  }
}

/** As the queue directory has it. */
function maildropPath(path: string): string {
  return `maildrop/${basename(path)}`;
}
