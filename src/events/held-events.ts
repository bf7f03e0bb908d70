/** Events that wait until there is somebody whom they concern. */
import type { EventChannel, MailEvent } from './event.ts';

export class HeldEvents {
  #waiting: { readonly event: MailEvent; readonly target: EventChannel }[] | undefined = [];

  /** A channel whose events wait here, and reach the target once all are let go. */
  channelTo(target: EventChannel): EventChannel {
    return {
      emit: (event) => {
        if (this.#waiting === undefined) target.emit(event);
        else this.#waiting.push({ event, target });
      },
    };
  }

  get isEmpty(): boolean {
    return this.#waiting === undefined || this.#waiting.length === 0;
  }

  /** Forgets those that wait: what they tell of will be tried, and told, again. */
  drop(): void {
    if (this.#waiting !== undefined) this.#waiting = [];
  }

  /** Lets go of those that wait, and of all that come. */
  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const { event, target } of waiting) target.emit(event);
  }
}
