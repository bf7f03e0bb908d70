/**
 * The destinations of a transport that can start a delivery, as a heap: on top the one whose first peer belongs to the
 * foremost job of the list, and among several of that job the one that is next in turn. So what is blocked is never
 * looked at.
 */
import type { Destination } from './destination.ts';
import { byPlace } from './job.ts';

function comesBefore(a: Destination, b: Destination): boolean {
  const [left, right] = [a.line.first, b.line.first];
  if (left === undefined || right === undefined) return right === undefined && left !== undefined;
  const place = byPlace(left.job, right.job);
  return place === 0 ? left.turn < right.turn : place < 0;
}

export class ReadyDestinations {
  readonly #heap: Destination[] = [];

  get first(): Destination | undefined {
    return this.#heap[0];
  }

  /** Takes the destination in, or puts it where it belongs after its first peer has changed. */
  put(destination: Destination): void {
    if (destination.readyAt < 0) {
      destination.readyAt = this.#heap.length;
      this.#heap.push(destination);
    }
    this.#lift(destination);
    this.#sink(destination);
  }

  remove(destination: Destination): void {
    const at = destination.readyAt;
    if (at < 0) return;
    destination.readyAt = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === destination) return;
    this.#set(at, last);
    this.#lift(last);
    this.#sink(last);
  }

  #set(at: number, destination: Destination): void {
    this.#heap[at] = destination;
    destination.readyAt = at;
  }

  #lift(destination: Destination): void {
    for (let at = destination.readyAt; at > 0; at = destination.readyAt) {
      const above = (at - 1) >> 1;
      const parent = this.#heap[above];
      if (parent === undefined || !comesBefore(destination, parent)) return;
      this.#set(at, parent);
      this.#set(above, destination);
    }
  }

  #sink(destination: Destination): void {
    for (;;) {
      const at = destination.readyAt;
      const left = this.#heap[2 * at + 1];
      const right = this.#heap[2 * at + 2];
      if (left === undefined) return;
      const child = right !== undefined && comesBefore(right, left) ? right : left;
      if (!comesBefore(child, destination)) return;
      const below = child.readyAt;
      this.#set(at, child);
      this.#set(below, destination);
    }
  }
}
