/**
 * When a deferred message is tried again, and when it has waited long enough. qmgr(8), postconf(5)
 *
 * Both go by whole seconds, as qmgr(8) does, whose clock for them is that of files: with waits of a few seconds it tells.
 */
import type { QmgrSettings } from './settings.ts';

/** A deferred message is taken up so much before it is due. qmgr(8) */
export const earlyMs = 1000;

/** Time of the next attempt, in ms since the epoch: as long again as the message is old, within bounds. */
export function nextAttemptAt(arrivedAt: number, now: number, settings: QmgrSettings): number {
  const age = wholeSeconds(now) - wholeSeconds(arrivedAt);
  const dueAt = wholeSeconds(now) + Math.min(Math.max(age, settings.minimalBackoffMs), settings.maximalBackoffMs);
  // for the next scan, not for one that is under way
  return Math.max(dueAt, now + earlyMs + 1);
}

/** Whether a message that just failed has reached maximal_queue_lifetime, or bounce_queue_lifetime for a null sender. */
export function isExpired(
  message: { readonly arrivedAt: number; readonly sender: string },
  now: number,
  settings: QmgrSettings,
): boolean {
  const lifetime = message.sender === '' ? settings.bounceLifetimeMs : settings.maximalLifetimeMs;
  return wholeSeconds(now) - wholeSeconds(message.arrivedAt) >= lifetime;
}

/** Both in ms. */
function wholeSeconds(at: number): number {
  return Math.floor(at / 1000) * 1000;
}
