/** How messages become active: handed over by the store as they arrive, or claimed when there is room. qmgr(8) */
import type { QueuedMessage, QueueStore } from '#store';
import type { QmgrSettings } from './settings.ts';

export interface IntakeOptions {
  readonly store: QueueStore;
  readonly settings: QmgrSettings;
  readonly now: () => number;
  /** A message of ours from now on. */
  readonly accept: (message: QueuedMessage) => void;
  /** Before each scan. */
  readonly prepare: () => void;
  readonly warn: (text: string) => void;
}

const claimBatch = 200;

export class Intake {
  readonly #options: IntakeOptions;
  #timer: NodeJS.Timeout | undefined;
  #isOpen = false;
  #messages = 0;
  #recipients = 0;
  #isScanning = false;
  #scanAgain = false;
  #incomingWaits = true;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#isOpen = true;
    this.#options.store.onQueued((message) => {
      if (!this.#isOpen || !this.#hasRoom()) {
        // it becomes visible in incoming after this call
        this.#incomingWaits = true;
        return false;
      }
      this.#take(message);
      return true;
    });
    this.#timer = setInterval(() => this.scanNow(), this.#options.settings.queueRunDelayMs);
    this.scanNow();
  }

  stop(): void {
    this.#isOpen = false;
    clearInterval(this.#timer);
  }

  /** Messages claimed by their names come in whatever the room. */
  takeAll(messages: readonly QueuedMessage[]): void {
    for (const message of messages) this.#take(message);
  }

  /** A message is active no more. */
  left(message: QueuedMessage): void {
    this.#messages -= 1;
    this.#recipients -= message.recipients.length;
    const isRoomy = this.#messages <= this.#options.settings.activeLimit * 0.9;
    if (this.#isOpen && this.#incomingWaits && isRoomy && this.#hasRoom()) this.scanNow();
  }

  /** Claims what waits in incoming, and what is due in deferred, as far as there is room. */
  async scan(): Promise<void> {
    if (this.#isScanning) {
      this.#scanAgain = true;
      return;
    }
    this.#isScanning = true;
    try {
      do {
        this.#scanAgain = false;
        await this.#claimAll();
      } while (this.#scanAgain);
    } finally {
      this.#isScanning = false;
    }
  }

  scanNow(): void {
    this.scan().catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.warn(`cannot scan the queue: ${reason}`);
    });
  }

  /** A single message may have more recipients than the limit. */
  #hasRoom(): boolean {
    const { activeLimit, recipientLimit } = this.#options.settings;
    return this.#messages < activeLimit && (this.#messages === 0 || this.#recipients < recipientLimit);
  }

  #take(message: QueuedMessage): void {
    this.#messages += 1;
    this.#recipients += message.recipients.length;
    this.#options.accept(message);
  }

  async #claimAll(): Promise<void> {
    const { store, now, settings, prepare } = this.#options;
    prepare();
    this.#incomingWaits = false;
    for (let more = true; more && this.#isOpen;) {
      more = false;
      for (const from of ['incoming', 'deferred'] as const) {
        if (!this.#hasRoom()) {
          this.#incomingWaits = true;
          return;
        }
        const room = settings.activeLimit - this.#messages;
        const messages = await store.claim(from, now(), Math.min(room, claimBatch));
        if (messages.length > 0) more = true;
        for (const message of messages) this.#take(message);
      }
    }
  }
}
