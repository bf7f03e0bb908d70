/** Deliveries: the `to=… status=…` line of every recipient (inventory, j.6), and what agents say in between. */
import type { OutcomeKind } from '#message';
import type { Renderings } from '../event.ts';

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
  readonly outcome: OutcomeKind;
  readonly text: string;
};

/** Postfix's delay figures: two significant digits, at most `digits` decimals, integers from 100 s (format_tv). */
export function formatDelay(ms: number, digits: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds >= 100) return String(Math.round(seconds));
  const decimals = Math.min(digits, seconds >= 10 ? 0 : seconds >= 1 ? 1 : seconds >= 0.1 ? 2 : 3);
  return String(Number(seconds.toFixed(decimals)));
}

function renderDelivery(event: DeliveryEvent): string {
  const [arrived, active, started, connected, ended] = event.times;
  const original =
    event.original !== '' && event.original.toLowerCase() !== event.recipient.toLowerCase()
      ? `, orig_to=<${event.original}>`
      : '';
  const use = event.connectionUse !== undefined && event.connectionUse > 1 ? `, conn_use=${event.connectionUse}` : '';
  const parts = [active - arrived, started - active, connected - started, ended - connected];
  return (
    `${event.queueId}: to=<${event.recipient}>${original}, relay=${event.relay}${use}` +
    `, delay=${formatDelay(ended - arrived, 2)}, delays=${parts.map((ms) => formatDelay(ms, 2)).join('/')}` +
    `, dsn=${event.code}, status=${event.outcome} (${event.text})`
  );
}

export const deliveryRenderings: Renderings<DeliveryEvent> = { delivery: renderDelivery };
