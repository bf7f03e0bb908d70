/** Talks to the writer thread: while one batch is being committed, the next gathers. No timer delays a lone operation. */
import { ContentGarbage } from '#native';
import { StoreError, StoreFullError } from '../queue-store.ts';
import {
  addsMail,
  type Operation,
  type OperationResult,
  takesMail,
  type WriterOrder,
  type WriterReport,
} from './operations.ts';
import { loadWriterThread, type WriterThread } from './writer-worker.ts';

interface Waiting {
  readonly operation: Operation;
  readonly resolve: (serials: readonly number[]) => void;
  readonly reject: (error: Error) => void;
}

/** Bounds what travels at once, so that a batch does not hold the writer for long. */
const maxBatch = 500;

/** The content that is gathered, and a read from a socket on top. */
const partBytes = 320 * 1024;
const maxFreeBuffers = 16;

/**
 * Turns of the event loop that a batch gathers for. Few large commits cost less than many small ones, and clients that
 * are answered together ask together. With nothing to do a turn takes some microseconds.
 */
const gatheringTurns = 5;

const retryMs = 1000;

export interface WriterEvents {
  /** The file is a new one, with log lines. */
  readonly onSalvaged: (lines: readonly string[]) => void;
  /** The thread is gone: nothing can be written any more. */
  readonly onLost: (reason: string) => void;
}

export class WriterClient {
  readonly #worker: WriterThread;
  #waiting: Waiting[] = [];
  /** Buffers of parts that the thread has given back, to be filled again: as garbage they would pile up. */
  readonly #free: ArrayBuffer[] = [];
  readonly garbage = new ContentGarbage();
  readonly #retries = new Map<Waiting, NodeJS.Timeout>();
  #running: readonly Waiting[] = [];
  #failure: Error | undefined;
  #isClosing = false;
  #isScheduled = false;
  #isImpatient = false;
  #takesMail = true;
  #idle: (() => void) | undefined;

  private constructor(worker: WriterThread) {
    this.#worker = worker;
  }

  /** Opens the database in the thread, a new one where none is given; rejects when it can't. */
  static async start(path: string, { onSalvaged, onLost }: WriterEvents, thread?: WriterThread): Promise<WriterClient> {
    const worker = thread ?? (await loadWriterThread());
    const client = new WriterClient(worker);
    const lose = (error: Error): void => {
      if (client.#isClosing || client.#failure !== undefined) return;
      client.#fail(error);
      onLost(error.message);
    };
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (report: WriterReport) => {
        if (report.kind === 'results') {
          client.#keep(report.returned);
          client.#onResults(report.results);
        } else if (report.kind === 'salvaged') onSalvaged(report.lines);
        else if (report.kind === 'failed') reject(new StoreError(report.reason));
        else if (report.kind === 'ready') resolve();
      });
      worker.once('error', (error) => reject(error instanceof Error ? error : new Error(String(error))));
      worker.once('exit', () => reject(new StoreError('the thread that writes has ended')));
      client.#order({ kind: 'open', path });
    });
    worker.on('error', (error) => lose(error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', () => lose(new Error('the thread that writes has ended')));
    return client;
  }

  run(operation: Operation): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) {
        reject(new StoreError(this.#failure.message));
        return;
      }
      if (!this.#takesMail && takesMail(operation)) {
        reject(new StoreError('the queue is being closed'));
        return;
      }
      this.#waiting.push({ operation, resolve, reject });
      this.#schedule();
    });
  }

  /** Memory for a part of content; the operation that carries it takes it away. */
  partBuffer(bytes: number): Buffer {
    const kept = bytes <= partBytes ? this.#free.pop() : undefined;
    return Buffer.from(kept ?? new ArrayBuffer(Math.max(bytes, partBytes)), 0, bytes);
  }

  #keep(returned: readonly ArrayBuffer[]): void {
    for (const memory of returned)
      if (this.#free.length < maxFreeBuffers && memory.byteLength === partBytes) this.#free.push(memory);
  }

  /** The next batch goes when the results of the one before are known, and some turns later: what comes meanwhile goes with it. */
  #schedule(): void {
    if (this.#isScheduled || this.#running.length > 0 || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    this.#gather(gatheringTurns);
  }

  #gather(turns: number): void {
    setImmediate(() => (turns > 1 ? this.#gather(turns - 1) : this.#send()));
  }

  #send(): void {
    this.#isScheduled = false;
    if (this.#waiting.length === 0) return;
    this.#running = this.#waiting.splice(0, maxBatch);
    const transfer = this.#running.flatMap(({ operation }) => {
      const bytes =
        operation.kind === 'put' ? operation.content : operation.kind === 'part' ? operation.data : undefined;
      return bytes !== undefined && bytes.length > 0 && bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
    });
    this.#order({ kind: 'batch', operations: this.#running.map(({ operation }) => operation) }, transfer);
  }

  #order(order: WriterOrder, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(order, transfer);
  }

  #onResults(results: readonly OperationResult[]): void {
    const finished = this.#running;
    this.#running = [];
    for (const [i, waiting] of finished.entries()) {
      const { operation, resolve, reject } = waiting;
      const result = results[i];
      if (result?.kind === 'ok') resolve(result.serials);
      else if (result?.full === true && !addsMail(operation)) this.#retryLater(waiting);
      else if (result?.full === true) reject(new StoreFullError(result.reason));
      else reject(new StoreError(result?.reason ?? 'no result'));
    }
    this.#schedule();
    if (this.#waiting.length === 0) this.#idle?.();
  }

  /** The disk is full: what frees room, or says what was delivered, waits for better times instead of being lost. */
  #retryLater(waiting: Waiting): void {
    if (this.#isImpatient) return waiting.reject(new StoreFullError('the disk is full'));
    const timer = setTimeout(() => {
      this.#retries.delete(waiting);
      this.#waiting.push(waiting);
      this.#schedule();
    }, retryMs);
    this.#retries.set(waiting, timer);
  }

  #fail(error: Error): void {
    this.#failure = error;
    for (const { reject } of [...this.#running, ...this.#waiting]) reject(new StoreError(error.message));
    this.#running = [];
    this.#waiting = [];
    this.waitNoMore();
    this.#idle?.();
  }

  /** From now on what finds no room on the disk fails: there is no time left to wait for it. */
  waitNoMore(): void {
    this.#isImpatient = true;
    for (const [waiting, timer] of this.#retries) {
      clearTimeout(timer);
      waiting.reject(new StoreFullError('the disk is full'));
    }
    this.#retries.clear();
  }

  /** From now on nothing is added or claimed. */
  takeNoMore(): void {
    this.#takesMail = false;
  }

  /** Finishes what waits, then ends the thread. */
  async close(): Promise<void> {
    if (this.#failure !== undefined) return;
    this.waitNoMore();
    if (this.#running.length > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#isClosing = true;
    this.#order({ kind: 'close' });
    await new Promise<void>((resolve) => {
      this.#worker.once('exit', () => resolve());
    });
  }
}
