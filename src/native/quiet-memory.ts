/** Memory that a start, or a burst of mail, leaves with the JavaScript engine, goes back to the system. */
import { performance } from 'node:perf_hooks';

/** A larger part of its time than this, and a thread is at work. */
const busyShare = 0.02;
/** A start is over when nothing has happened for so long. */
const afterStartMs = 3000;
/** More work than that is more than the rest of a start. */
const mostStartWorkMs = 500;
/** Collecting drops compiled code, which the next burst has to pay for: only a long rest is worth that. */
const afterBurstMs = 300_000;

/** Says when to collect: once after the start, and once after each burst, when it has been quiet for long enough. */
export class QuietWatch {
  #quietMs = 0;
  #workMs = 0;
  #neededMs = afterStartMs;
  #wasBusy = true;

  /** How long to wait before the next look, in ms: a few looks fall into each wait for quiet. */
  get lookMs(): number {
    return this.#neededMs / 3;
  }

  /**
   * @param share part of the time since the last look in which the thread was at work, 0 to 1
   * @param elapsedMs that time
   * @returns whether to collect now
   */
  look(share: number, elapsedMs: number): boolean {
    this.#workMs += share * elapsedMs;
    if (this.#workMs > mostStartWorkMs) this.#neededMs = afterBurstMs;
    if (share > busyShare) {
      this.#wasBusy = true;
      this.#quietMs = 0;
      return false;
    }
    this.#quietMs += elapsedMs;
    if (!this.#wasBusy || this.#quietMs < this.#neededMs) return false;
    this.#wasBusy = false;
    this.#neededMs = afterBurstMs;
    return true;
  }
}

/**
 * The engine keeps the young generation of a start (16 MB in mail) until it has reason to collect, which without mail
 * never comes. Holds for the thread that calls it. Without `--expose-gc` (see bin/posthorn) nothing happens.
 *
 * @param andThen called after each collection: trimAllocator, in a process that has use for C calls anyway
 */
export function returnMemoryWhenQuiet(andThen: () => void = () => undefined): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  const watch = new QuietWatch();
  let lastLook = performance.now();
  let lastUse = performance.eventLoopUtilization();
  const look = (): void => {
    const now = performance.now();
    const share = performance.eventLoopUtilization(lastUse).utilization;
    if (watch.look(share, now - lastLook)) {
      // other kinds of collection keep the pages that they have emptied
      collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      andThen();
    }
    lastLook = performance.now();
    lastUse = performance.eventLoopUtilization();
    setTimeout(look, watch.lookMs).unref();
  };
  setTimeout(look, watch.lookMs).unref();
}
