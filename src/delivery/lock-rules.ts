/** The parameters of mailbox locks. postconf(5) */
import type { Settings } from '#config';
import type { LockRules } from './mailbox-locks.ts';

/** `name`: mailbox_delivery_lock or virtual_mailbox_lock. */
export function readLockRules(settings: Settings, name: string): LockRules {
  return {
    kinds: settings.list(name),
    attempts: settings.int('deliver_lock_attempts'),
    delayMs: settings.timerMs('deliver_lock_delay'),
    staleMs: settings.ms('stale_lock_time'),
  };
}
