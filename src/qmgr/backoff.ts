/** When a deferred message is tried again, and when it has waited long enough. qmgr(8), postconf(5) */
import type { QmgrSettings } from './settings.ts';

/** Time of the next attempt, in ms since the epoch: as long again as the message is old, within bounds. */
export function nextAttemptAt(arrivedAt: number, now: number, settings: QmgrSettings): number {
  const age = now - arrivedAt;
  return now + Math.min(Math.max(age, settings.minimalBackoffMs), settings.maximalBackoffMs);
}

/** Whether a message that just failed has reached maximal_queue_lifetime, or bounce_queue_lifetime for a null sender. */
export function isExpired(
  message: { readonly arrivedAt: number; readonly sender: string },
  now: number,
  settings: QmgrSettings,
): boolean {
  const lifetime = message.sender === '' ? settings.bounceLifetimeMs : settings.maximalLifetimeMs;
  return now - message.arrivedAt >= lifetime;
}
