/** Free space where the queue is, asked for at most once a second. postconf(5) queue_minfree */
import type { MaybePromise } from '#message';

const freshMs = 1000;

/** `now`: ms, of a clock that only goes forward. */
export function rememberFreeSpace(
  ask: () => MaybePromise<number>,
  now: () => number = () => performance.now(),
): () => MaybePromise<number> {
  let known = { bytes: 0, at: Number.NEGATIVE_INFINITY };
  return () => {
    if (now() - known.at < freshMs) return known.bytes;
    const answer = ask();
    const keep = (bytes: number): number => {
      known = { bytes, at: now() };
      return bytes;
    };
    return answer instanceof Promise ? answer.then(keep) : keep(answer);
  };
}
