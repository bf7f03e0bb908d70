/** Says when the mail for one destination takes up the active queue. qmgr_clog_warn_time */
import type { Destination } from './destination.ts';
import type { QmgrSettings } from './settings.ts';

/** A destination that holds this share of a full active queue is told of. */
const shareToWarn = 0.5;
const shareThatBlocks = 0.9;
const fullShare = 0.9;

export class ClogWarning {
  readonly #settings: QmgrSettings;
  readonly #warn: (text: string) => void;
  readonly #quietUntil = new Map<string, number>();

  constructor(settings: QmgrSettings, warn: (text: string) => void) {
    this.#settings = settings;
    this.#warn = warn;
  }

  /** After deliveries for the destination were added. `active`: messages altogether. */
  look(transport: string, destination: Destination, active: number, now: number): void {
    const { clogWarnMs, activeLimit } = this.#settings;
    if (clogWarnMs <= 0 || active < activeLimit * fullShare) return;
    const count = destination.waitingCount + destination.busy;
    const share = count / active;
    if (share < shareToWarn) return;
    const key = `${transport}:${destination.key}`;
    if ((this.#quietUntil.get(key) ?? 0) > now) return;
    for (const [other, until] of this.#quietUntil) if (until <= now) this.#quietUntil.delete(other);
    this.#quietUntil.set(key, now + clogWarnMs);
    for (const line of lines(transport, destination, { count, active, share })) this.#warn(line);
  }
}

function lines(
  transport: string,
  { nexthop, settings, busy }: Destination,
  { count, active, share }: { readonly count: number; readonly active: number; readonly share: number },
): readonly string[] {
  const isAtLimit = settings.concurrencyLimit > 0 && settings.concurrencyLimit <= busy + 1;
  return [
    `mail for ${nexthop} is using up ${count} of ${active} active queue entries`,
    ...(share < shareThatBlocks ? ['this may slow down other mail deliveries'] : []),
    ...(isAtLimit
      ? [
          `you may need to increase the main.cf ${transport}_destination_concurrency_limit from ${settings.concurrencyLimit}`,
        ]
      : [
          `you may need to reduce ${transport} connect and helo timeouts`,
          'so that Postfix quickly skips unavailable hosts',
          'you may need to increase the main.cf minimal_backoff_time and maximal_backoff_time',
          'so that Postfix wastes less time on undeliverable mail',
          `you may need to increase the master.cf ${transport} process limit`,
        ]),
    'please avoid flushing the whole queue when you have',
    'lots of deferred mail, that is bad for performance',
    'to turn off these warnings specify: qmgr_clog_warn_time = 0',
  ];
}
