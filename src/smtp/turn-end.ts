/** What is said in one turn of the event loop, and goes out together at its end. */

/** What has something to send. */
export interface Sender {
  flush(): void;
}

/**
 * A write wakes whoever waits at the other end. The answers to twenty others that were heard in one turn go out one after
 * the other, when all of them have been found: nobody is woken between two of them, and what they say to it comes in one
 * turn, too. Who is alone waits no longer for it.
 */
export class TurnEnd {
  #senders: Sender[] = [];

  /** `sender` is asked to send when the turn is over; it may have nothing to send any more by then. */
  add(sender: Sender): void {
    if (this.#senders.length === 0) setImmediate(() => this.#flush());
    this.#senders.push(sender);
  }

  #flush(): void {
    const senders = this.#senders;
    this.#senders = [];
    for (const sender of senders) sender.flush();
  }
}
