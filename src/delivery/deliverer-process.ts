/** This side of a process that runs as a receiving user: requests go to it in frames, answers come back. */
import type { Duplex } from 'node:stream';
import { longestTimerMs, Roster } from '#message';
import { thrownText } from '#native';
import { PieceSource } from './deliverer-content.ts';
import { answerLimits, FrameReader, FrameWriter } from './deliverer-frames.ts';
import {
  type DelivererCall,
  type DelivererRequest,
  type DelivererResult,
  failedResult,
  parseAnswer,
} from './deliverer-protocol.ts';
import type { MailboxCopy } from './shaped-copy.ts';

export const stuckResult = (limitMs: number): DelivererResult =>
  failedResult('4.3.0', `no sign of life from the delivery process for ${Math.round(limitMs / 1000)}s`);

const nonsense = failedResult('4.3.0', 'the delivery process answered nonsense');

/** What this side does for a request that is under way. */
interface Open {
  readonly answer: (result: DelivererResult) => void;
  /** False: there is no further piece to be asked for. */
  readonly sendMore: () => boolean;
  readonly watchdog: NodeJS.Timeout;
}

const idleMs = 30_000;
/** A process that is quick enough has fewer requests open than this. */
const many = 8;
/** Starting another one costs as much as some hundred messages: mail for a list of recipients is written by then. */
const behindMs = 250;

/** What becomes of a process that is stuck, in a file system that does not answer for example. */
export interface Watchdog {
  /** Without a sign of life for so long a process is given up. daemon_timeout */
  readonly limitMs: number;
  /** Ends the process behind a stream; it takes no notice of the end of its stream any more. */
  readonly kill: (stream: Duplex) => void;
}

export interface PoolMeans {
  readonly watchdog: Watchdog;
  /** ms, of a clock that only goes forward. */
  readonly now: () => number;
}

export interface ProcessEvents {
  readonly onIdle: () => void;
  /** It takes no more work. */
  readonly onEnd: () => void;
}

/** A process that runs as a receiving user. */
export class DelivererProcess {
  readonly #stream: Promise<Duplex>;
  readonly #writer: Promise<FrameWriter>;
  readonly #open = new Roster<number, Open>();
  readonly #events: ProcessEvents;
  readonly #watchdog: Watchdog;
  readonly #now: () => number;
  #nextId = 0;
  #working = 0;
  #isConnected = false;
  #manySince: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(connected: Promise<Duplex>, events: ProcessEvents, { watchdog, now }: PoolMeans) {
    this.#events = events;
    this.#watchdog = watchdog;
    this.#now = now;
    this.#stream = connected;
    this.#writer = connected.then((stream) => {
      const reader = new FrameReader(answerLimits);
      stream.on('data', (chunk: Buffer) => {
        if (stream.destroyed) return;
        const frames = reader.push(chunk);
        if (frames?.every(({ json }) => this.#take(json)) === true) return;
        stream.destroy();
        this.#giveUp(nonsense);
      });
      stream.on('error', () => stream.destroy());
      stream.on('close', () => this.#fail(failedResult('4.3.0', 'the delivery process ended')));
      return new FrameWriter(stream);
    });
    this.#writer.then(
      () => {
        this.#isConnected = true;
        if (this.#working === 0) this.#idle();
      },
      (error: unknown) => this.#failFor(error),
    );
  }

  #fail(result: DelivererResult): void {
    this.#events.onEnd();
    for (const { answer, watchdog } of this.#open.values()) {
      clearTimeout(watchdog);
      answer(result);
    }
    this.#open.clear();
  }

  #failFor(error: unknown): void {
    this.#fail(failedResult('4.3.0', thrownText(error)));
  }

  #giveUp(result: DelivererResult): void {
    this.#fail(result);
    this.#stream.then(
      (stream) => {
        this.#watchdog.kill(stream);
        stream.destroy();
      },
      () => undefined,
    );
  }

  /** False for what a deliverer never says. */
  #take(json: unknown): boolean {
    const answer = parseAnswer(json);
    if (answer === undefined) return false;
    const call = this.#open.get(answer.id);
    if ('want' in answer) {
      call?.watchdog.refresh();
      return call?.sendMore() ?? true;
    }
    this.#open.delete(answer.id);
    clearTimeout(call?.watchdog);
    call?.answer(answer.result);
    return true;
  }

  /** How many requests have no answer yet. */
  get working(): number {
    return this.#working;
  }

  get hasMany(): boolean {
    return this.#working > many;
  }

  /** Whether it had many requests open some time ago, and has not been without work since. */
  get isBehind(): boolean {
    return this.#manySince !== undefined && this.#now() - this.#manySince >= behindMs;
  }

  /** From now on it is behind only when it stays so for as long again. */
  countAnew(): void {
    this.#manySince = this.#now();
  }

  /** Whether the process is there. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  async run(request: DelivererRequest, copy: MailboxCopy | undefined): Promise<DelivererResult> {
    this.#working += 1;
    if (this.hasMany) this.#manySince ??= this.#now();
    try {
      return await this.#run(request, copy);
    } finally {
      this.#working -= 1;
      if (this.#working === 0) this.#idle();
    }
  }

  async #run(request: DelivererRequest, copy: MailboxCopy | undefined): Promise<DelivererResult> {
    const source = new PieceSource(copy?.content ?? []);
    const taken = source.take();
    const first = taken instanceof Promise ? await taken : taken;
    this.#nextId += 1;
    const id = this.#nextId;
    let broken: { readonly error: unknown } | undefined;
    let canSend = first.hasMore;
    const result = new Promise<DelivererResult>((answer) => {
      const send = async (): Promise<void> => {
        try {
          const { bytes, hasMore } = await source.take();
          canSend = hasMore;
          this.#send({ id, more: hasMore }, bytes);
        } catch (error) {
          broken = { error };
          this.#send({ id, broken: true });
        }
      };
      const sendMore = (): boolean => {
        if (!canSend) return false;
        canSend = false;
        void send();
        return true;
      };
      const stuck = (): void => this.#giveUp(stuckResult(this.#watchdog.limitMs));
      const watchdog = setTimeout(stuck, Math.min(this.#watchdog.limitMs, longestTimerMs));
      watchdog.unref();
      this.#open.set(id, { answer, sendMore, watchdog });
    });
    this.#send({ id, request, shape: copy?.shape, more: first.hasMore }, first.bytes);
    const answer = await result;
    if (first.hasMore) await source.close();
    if (broken !== undefined) throw broken.error;
    return answer;
  }

  #send(call: DelivererCall, bytes?: Buffer): void {
    this.#writer.then(
      (writer) => writer.send(call, bytes),
      // who asks when it is known already that there is no process hears of it, too
      (error: unknown) => this.#failFor(error),
    );
  }

  #idle(): void {
    this.#manySince = undefined;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.retire(), idleMs);
    this.#timer.unref();
    this.#events.onIdle();
  }

  /** Ends the process, when it has nothing to do. */
  retire(): void {
    if (this.#working > 0) return;
    clearTimeout(this.#timer);
    // what comes while it ends is another one's work
    this.#events.onEnd();
    this.#stream.then(
      (stream) => stream.end(),
      () => undefined,
    );
  }

  close(): void {
    this.#stream.then(
      (stream) => stream.destroy(),
      () => undefined,
    );
  }
}
