/** Events of the queue manager. qmgr(8) */
import type { Renderings } from '../event.ts';

/** What a delivery was for its destination. */
type FeedbackStep = 'success' | 'failure';

export type QmgrEvent =
  | {
      readonly kind: 'active';
      readonly queueId: string;
      readonly sender: string;
      readonly sizeBytes: number;
      readonly recipientCount: number;
    }
  | { readonly kind: 'removed'; readonly queueId: string }
  /** How a transport changes the concurrency of its destinations. destination_concurrency_feedback_debug */
  | {
      readonly kind: 'feedbackForm';
      readonly transport: string;
      readonly parameter: string;
      readonly perWindow: boolean;
      readonly window: number;
      readonly value: number;
    }
  | { readonly kind: 'feedback'; readonly step: FeedbackStep; readonly feedback: number }
  /** The concurrency of a destination after a delivery; `window` 0: it is dead. */
  | {
      readonly kind: 'window';
      readonly step: FeedbackStep;
      readonly destination: string;
      readonly limit: number;
      readonly window: number;
      readonly success: number;
      readonly failure: number;
      readonly failedCohorts: number;
    }
  /** A report could not be sent, and what it was about waits. */
  | {
      readonly kind: 'reportFailed';
      readonly queueId: string;
      readonly report: 'bounce' | 'verp' | 'delay warning' | 'trace';
    }
  | { readonly kind: 'expired'; readonly queueId: string; readonly sender: string; readonly isForced: boolean };

/** Where Postfix says it. */
const stepNames: Readonly<Record<FeedbackStep, string>> = {
  success: 'qmgr_queue_unthrottle',
  failure: 'qmgr_queue_throttle',
};

/** A number as C prints it with %g: six digits, without trailing zeros. */
function general(value: number): string {
  const rounded = Number(value.toPrecision(6));
  if (rounded === 0 || Math.abs(rounded) >= 1e-4) return String(rounded);
  return rounded.toExponential().replace(/e-(\d)$/, 'e-0$1');
}

export const qmgrRenderings: Renderings<QmgrEvent> = {
  active: (event, shown) =>
    `${event.queueId}: from=<${shown(event.sender)}>, size=${event.sizeBytes}, nrcpt=${event.recipientCount} (queue active)`,
  feedbackForm: ({ transport, parameter, perWindow, window, value }) =>
    `${transport}: ${parameter} feedback type ${perWindow ? 1 : 0} value at ${window}: ${general(value)}`,
  feedback: ({ step, feedback }) => `${stepNames[step]}: feedback ${general(feedback)}`,
  window: ({ step, destination, limit, window, success, failure, failedCohorts }) =>
    `${stepNames[step]}: queue ${destination}: limit ${limit} window ${window} success ${general(success)} failure ${general(failure)} fail_cohorts ${general(failedCohorts)}`,
  reportFailed: ({ queueId, report }) => `${queueId}: status=deferred (${report} failed)`,
  removed: (event) => `${event.queueId}: removed`,
  expired: (event, shown) =>
    `${event.queueId}: from=<${shown(event.sender)}>, status=${event.isForced ? 'force-expired' : 'expired'}, returned to sender`,
};
