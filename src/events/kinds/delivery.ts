/** Deliveries: the `to=… status=…` line of every recipient, and what agents say in between. */
import type { LoggedOutcome } from '#message';
import type { Renderings, ShownAddress } from '../event.ts';

export type DeliveryEvent = {
  readonly kind: 'delivery';
  readonly queueId: string;
  readonly recipient: string;
  /** '' or equal but for case: not shown. */
  readonly original: string;
  /** `HOST[ADDR]:PORT`, `local`, `none` … */
  readonly relay: string;
  /** Deliveries over this connection; shown from 2 on. */
  readonly connectionUse?: number;
  /** ms since the epoch: arrival, activation, start of delivery, connection ready, end. */
  readonly times: readonly [arrived: number, active: number, started: number, connected: number, ended: number];
  readonly code: string;
  /** What came of TLS on the way to a server. */
  readonly tls?: string;
  /** `SOFTBOUNCE`: would have bounced, but soft_bounce is on. */
  readonly outcome: LoggedOutcome;
  readonly text: string;
  /** delay_logging_resolution_limit, when not 2. */
  readonly delayDigits?: number;
};

/**
 * Postfix's delay figures (format_tv): two significant digits, at most `digits` decimals, whole seconds from 10 s on;
 * rounded, without trailing zeros. postconf(5) delay_logging_resolution_limit
 */
export function formatDelay(ms: number, digits: number): string {
  const elapsed = Math.round(Math.max(0, ms) * 1000);
  const million = 1_000_000;
  let resolution = million / 10 ** digits;
  if (resolution < million) {
    if (elapsed >= 10 * million) resolution = million;
    else if (elapsed >= million) resolution = million / 10;
    else while (elapsed >= 100 * resolution) resolution *= 10;
  }
  const rounded = elapsed + Math.floor(resolution / 2);
  const seconds = Math.floor(rounded / million);
  const rest = rounded % million;
  if (rest < resolution) return String(seconds);
  const shown = rest - (rest % resolution);
  return `${seconds}.${String(shown).padStart(6, '0').replace(/0+$/, '')}`;
}

function renderDelivery(event: DeliveryEvent, shown: ShownAddress): string {
  const [arrived, active, started, connected, ended] = event.times;
  const original =
    event.original !== '' && event.original.toLowerCase() !== event.recipient.toLowerCase()
      ? `, orig_to=<${shown(event.original)}>`
      : '';
  const use = event.connectionUse !== undefined && event.connectionUse > 1 ? `, conn_use=${event.connectionUse}` : '';
  const parts = [active - arrived, started - active, connected - started, ended - connected];
  const digits = event.delayDigits ?? 2;
  return (
    `${event.queueId}: to=<${shown(event.recipient)}>${original}, relay=${event.relay}${use}` +
    `, delay=${formatDelay(ended - arrived, digits)}, delays=${parts.map((ms) => formatDelay(ms, digits)).join('/')}` +
    `${event.tls === undefined ? '' : `, tls=${event.tls}`}, dsn=${event.code}, status=${event.outcome} (${event.text})`
  );
}

export const deliveryRenderings: Renderings<DeliveryEvent> = { delivery: renderDelivery };
