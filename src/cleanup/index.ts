/** From a received message to a queued one. cleanup(8) */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { SubmissionPort } from '#message';
import type { Rewriter } from '#rewrite';
import type { QueueStore } from '#store';
import type { TableOpener } from '#tables';
import { createAddressMaps } from './address-maps.ts';
import { compileSettings } from './settings.ts';
import { CleanupSubmission } from './submission.ts';

export interface CleanupOptions {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly rewriter: Rewriter;
  readonly store: Pick<QueueStore, 'begin'>;
  readonly events: EventChannel;
  /** Whether arriving mail waits before it is queued, and how long. in_flow_delay */
  readonly inFlow?: { pause(delayMs: number): Promise<void> | undefined };
}

/** The door into the queue for one cleanup service. */
export function createCleanup({ settings, tables, rewriter, store, events, inFlow }: CleanupOptions): SubmissionPort {
  const compiled = compileSettings(settings, tables);
  const delayMs = settings.timerMs('in_flow_delay');
  const pause = (): Promise<void> | undefined => inFlow?.pause(delayMs);
  const parts = { maps: createAddressMaps(compiled, rewriter, events), store, events, pause };
  return { open: (options) => new CleanupSubmission(parts, options) };
}
