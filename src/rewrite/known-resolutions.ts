/**
 * Remembers where addresses led. A server asks about the same ones again: at the command, in the restrictions, and about
 * the sender of one message after the other. What routing warns of would be told as often. trivial-rewrite(8) is asked
 * once by a process of smtpd(8)
 */
import { BoundedMemory, type MaybePromise } from '#message';
import type { Resolution } from './resolution.ts';
import type { Rewriter } from './rewriter.ts';

/** Tables may change: an answer counts no longer than this. */
const ttlMs = 1000;
const maxEntries = 100;

/** `now`: ms, of a clock that only goes forward. */
export function rememberResolutions(rewriter: Rewriter, now: () => number = () => performance.now()): Rewriter {
  const known = new BoundedMemory<MaybePromise<Resolution>>({ ttlMs, maxEntries, now });
  return {
    ...rewriter,
    resolve: (sender, recipient, use = 'mail') => {
      const question = JSON.stringify([sender, recipient, use]);
      const answer = known.get(question);
      if (answer !== undefined) return answer;
      const resolution = rewriter.resolve(sender, recipient, use);
      known.set(question, resolution);
      return resolution;
    },
  };
}
