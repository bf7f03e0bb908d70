/** Outcomes without a delivery, with their log lines. */
import { concludedAs, type DeliveryRequest, type Outcome, type RequestRecipient, type Status } from '#message';
import type { ActiveMessage } from './active.ts';
import type { QueueManagerOptions } from './options.ts';
import type { QmgrSettings } from './settings.ts';

export class Decisions {
  readonly #options: Pick<QueueManagerOptions, 'events' | 'errorEvents' | 'now'>;
  readonly #settings: QmgrSettings;

  constructor(options: Pick<QueueManagerOptions, 'events' | 'errorEvents' | 'now'>, settings: QmgrSettings) {
    this.#options = options;
    this.#settings = settings;
  }

  decide(message: ActiveMessage, recipient: RequestRecipient, found: Outcome['kind'], reason: Status): void {
    const { kind, status, logged } = concludedAs(
      { kind: found, status: reason },
      this.probeOf(message),
      this.#settings.softBounce,
    );
    const now = this.#options.now();
    const { envelope, queueId } = message.queued;
    message.attempt.record({ index: recipient.index, kind, status }, [recipient]);
    // what is discarded here is logged by qmgr(8) itself, failures by error(8)
    const channel = found === 'sent' ? this.#options.events : this.#options.errorEvents;
    channel.emit({
      kind: 'delivery',
      queueId,
      recipient: recipient.address,
      original: recipient.original,
      relay: 'none',
      times: [envelope.arrivedAt, message.activeAt, now, now, now],
      code: status.code,
      outcome: logged,
      text: status.reason,
    });
  }

  /** What a request says of being a probe. */
  probeOf(message: ActiveMessage): Pick<DeliveryRequest, 'probe' | 'forgetsFailure'> {
    return {
      probe: message.isProbe,
      forgetsFailure: message.isAddressProbe && !this.#settings.keepsProbeFailures,
    };
  }
}
