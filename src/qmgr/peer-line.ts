/** The peers that wait for one destination, in the order of the job list. Most come at the end and leave at the front. */
import { byPlace, type Peer } from './job.ts';

/** Room at the front that is given back at once. */
const slack = 64;

export class PeerLine {
  readonly #peers: Peer[] = [];
  #front = 0;

  get first(): Peer | undefined {
    return this.#peers[this.#front];
  }

  insert(peer: Peer): void {
    const last = this.#peers.at(-1);
    if (last === undefined || byPlace(last.job, peer.job) <= 0) this.#peers.push(peer);
    else this.#peers.splice(this.#placeOf(peer), 0, peer);
  }

  remove(peer: Peer): void {
    if (peer === this.first) {
      this.#front += 1;
      const isMostlyGone = this.#front >= slack && this.#front * 2 >= this.#peers.length;
      if (!isMostlyGone && this.#front < this.#peers.length) return;
      this.#peers.splice(0, this.#front);
      this.#front = 0;
      return;
    }
    const at = this.#placeOf(peer);
    if (this.#peers[at] === peer) this.#peers.splice(at, 1);
  }

  /** All of them, in order; none is left. */
  takeAll(): readonly Peer[] {
    const rest = this.#peers.slice(this.#front);
    this.#peers.length = 0;
    this.#front = 0;
    return rest;
  }

  /** The first place that does not come before the peer's. */
  #placeOf(peer: Peer): number {
    let low = this.#front;
    let high = this.#peers.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#peers[middle];
      if (other !== undefined && byPlace(other.job, peer.job) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
