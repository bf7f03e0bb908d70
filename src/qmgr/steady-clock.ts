/** Time for what waits. A clock that is put back by an hour must not make a pause of a second an hour longer. */

/** The clock, but for the steps that it was put back. */
export function steadyClock(clock: () => number): () => number {
  let offset = 0;
  let last = Number.NEGATIVE_INFINITY;
  return () => {
    const at = clock() + offset;
    if (at < last) offset += last - at;
    last = Math.max(last, at);
    return last;
  };
}
