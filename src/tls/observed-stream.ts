/** A connection whose bytes somebody else looks at on their way, as long as he cares. */
import { Duplex } from 'node:stream';
import type { Direction } from './handshake-recorder.ts';

export type Observer = (direction: Direction, bytes: Buffer) => void;

export class ObservedStream extends Duplex {
  readonly #target: Duplex;
  /** undefined: nobody cares any more. */
  observe: Observer | undefined;

  /** `target`: paused, without listeners for data; belongs to this stream from now on. */
  constructor(target: Duplex, observe: Observer) {
    super({ allowHalfOpen: true });
    this.#target = target;
    this.observe = observe;
    target.on('data', (bytes: Buffer) => {
      this.observe?.('in', bytes);
      if (!this.push(bytes)) target.pause();
    });
    target.on('end', () => this.push(null));
    target.on('error', (error: Error) => this.destroy(error));
    target.on('close', () => this.destroy());
    target.pause();
  }

  override _read(): void {
    this.#target.resume();
  }

  override _write(bytes: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.observe?.('out', bytes);
    this.#target.write(bytes, encoding, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#target.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#target.destroy();
    done(error);
  }
}
