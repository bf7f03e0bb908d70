/** Concurrency feedback: how much one delivery changes the concurrency of its destination. SCHEDULER_README */

/** `value` for each delivery, divided by the concurrency when that is `perWindow`. */
export interface Feedback {
  readonly value: number;
  readonly perWindow: boolean;
}

/** What counts when the parameter can't be understood. */
export const plainFeedback: Feedback = { value: 1, perWindow: false };

const decimal = String.raw`[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?`;
const form = new RegExp(String.raw`^\s*(${decimal})\s*(?:/\s*(?:(concurrency)|(${decimal})))?\s*$`);

/**
 * A number, a number divided by another, or a number divided by `concurrency`; undefined for anything else, and for what
 * is not between 0 and 1. postconf(5) default_destination_concurrency_positive_feedback
 */
export function parseFeedback(text: string): Feedback | undefined {
  const [, amount, concurrency, divisor] = form.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const value = Number(amount) / (divisor === undefined ? 1 : Number(divisor));
  return value >= 0 && value <= 1 ? { value, perWindow: concurrency !== undefined } : undefined;
}

/** The feedback of one delivery while `window` of them may run at once. */
export function feedbackAt({ value, perWindow }: Feedback, window: number): number {
  return perWindow ? value / window : value;
}
