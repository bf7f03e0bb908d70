/**
 * Remembers where the last address led. A server asks about the same one again: at the command, and in the restrictions.
 * Each answer that routing warns about would be told of as often. trivial-rewrite(8) is asked once by smtpd(8)
 */
import type { MaybePromise } from '#message';
import type { Resolution } from './resolution.ts';
import type { Rewriter } from './rewriter.ts';

/** Tables may change: an answer counts no longer than this. */
const keptMs = 1000;

export function rememberLastAnswer(rewriter: Rewriter, now: () => number): Rewriter {
  let last: { readonly question: string; readonly answer: MaybePromise<Resolution>; readonly at: number } | undefined;
  return {
    ...rewriter,
    resolve: (sender, recipient, use = 'mail') => {
      const question = JSON.stringify([sender, recipient, use]);
      const at = now();
      if (last?.question !== question || at - last.at > keptMs)
        last = { question, answer: rewriter.resolve(sender, recipient, use), at };
      return last.answer;
    },
  };
}
