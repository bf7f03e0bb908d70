/** What the cache holds of an address: `STATE:PROBED:UPDATED:REASON`, times in seconds since the epoch. verify(8) */
import type { VerifiedAddress } from '#message';
import type { VerifySettings } from './settings.ts';

export interface Entry extends VerifiedAddress {
  /** ms since the epoch: when a probe was sent. */
  readonly probedAt: number;
  /** When a probe gave this state; 0: none did yet. */
  readonly updatedAt: number;
}

/** In the order of their numbers. */
const states = ['deliverable', 'deferred', 'bounced', 'pending'] as const;

/** After that a probe without an answer is taken for lost. */
const probeTtlMs = 1_000_000;

export const unknownAddress: Entry = {
  state: 'pending',
  reason: 'Address verification in progress',
  probedAt: 0,
  updatedAt: 0,
};

export function formatEntry({ state, probedAt, updatedAt, reason }: Entry): string {
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  return `${states.indexOf(state)}:${seconds(probedAt)}:${seconds(updatedAt)}:${reason}`;
}

/** Undefined: no entry. */
export function parseEntry(text: string): Entry | undefined {
  const match = /^(\d):(\d{1,15}):(\d{1,15}):([^]*)$/.exec(text);
  const state = states[Number(match?.[1])];
  if (match === null || state === undefined) return undefined;
  return {
    state,
    probedAt: Number(match[2]) * 1000,
    updatedAt: Number(match[3]) * 1000,
    reason: match[4] ?? '',
  };
}

export function isExpired({ state, updatedAt }: Entry, now: number, settings: VerifySettings): boolean {
  return updatedAt + (state === 'deliverable' ? settings.positiveExpireMs : settings.negativeExpireMs) < now;
}

/** Whether the address is to be asked about again. */
export function needsRefresh({ state, updatedAt }: Entry, now: number, settings: VerifySettings): boolean {
  return updatedAt + (state === 'deliverable' ? settings.positiveRefreshMs : settings.negativeRefreshMs) < now;
}

/** Whether a probe may be on its way. */
export function isBeingProbed({ probedAt }: Entry, now: number): boolean {
  return now - probedAt <= probeTtlMs;
}
