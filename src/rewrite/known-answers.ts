/**
 * Remembers where addresses led. A server asks about the same ones again: at the command, in the restrictions, and about
 * the sender of one message after the other. What routing warns of would be told as often. trivial-rewrite(8) is asked
 * once by a process of smtpd(8)
 */
import type { MaybePromise } from '#message';
import type { Resolution } from './resolution.ts';
import type { Rewriter } from './rewriter.ts';

interface Answer {
  readonly resolution: MaybePromise<Resolution>;
  readonly at: number;
}

/** Tables may change: an answer counts no longer than this. */
const keptMs = 1000;
const mostKept = 100;

export function rememberAnswers(rewriter: Rewriter, now: () => number): Rewriter {
  /** The oldest first. */
  const known = new Map<string, Answer>();
  return {
    ...rewriter,
    resolve: (sender, recipient, use = 'mail') => {
      const question = JSON.stringify([sender, recipient, use]);
      const at = now();
      const answer = known.get(question);
      if (answer !== undefined && at - answer.at <= keptMs) return answer.resolution;
      const resolution = rewriter.resolve(sender, recipient, use);
      known.delete(question);
      known.set(question, { resolution, at });
      const [oldest] = known.keys();
      if (known.size > mostKept && oldest !== undefined) known.delete(oldest);
      return resolution;
    },
  };
}
