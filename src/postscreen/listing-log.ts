/** Says who is on a permanent list, in the words of respectful_logging or the old ones. postconf(5) */
import type { EventChannel } from '#events';

export interface ListingWords {
  readonly respectful: boolean;
  /** The old words are those of an old compatibility_level: nobody asked for them. */
  readonly areOldDefault: boolean;
}

export class ListingLog {
  readonly #events: EventChannel;
  readonly #words: ListingWords;
  #hasNoted = false;

  constructor(events: EventChannel, words: ListingWords) {
    this.#events = events;
    this.#words = words;
  }

  note(client: string, what: 'allowed' | 'denied' | 'vetoed'): void {
    const { respectful, areOldDefault } = this.#words;
    this.#events.emit({ kind: 'screenListed', client, what, respectful });
    if (!areOldDefault || this.#hasNoted) return;
    this.#hasNoted = true;
    const text = `using backwards-compatible default setting respectful_logging=no for client ${client}`;
    this.#events.emit({ kind: 'note', text });
  }
}
