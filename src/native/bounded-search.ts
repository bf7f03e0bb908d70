/**
 * A bound on the time that one expression takes with one long subject. PCRE2's own limit is for each place where a match
 * may begin, and the C library has none: with very many places an expression can run for minutes, and all else with it.
 */

/** A match that was given up. */
export class MatchFailure extends Error {}

export const exceededText = 'backtracking limit exceeded';

/** A subject of fewer bytes is searched in one go. */
export const longSubjectBytes = 512;
/** CPU time for one subject. */
const mostMs = 2000;
const quickMs = 10;

function spentMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/**
 * Searches a part of the places after the other. `searchFrom(first, last)`: whether a match begins there. Throws
 * MatchFailure when it takes too long.
 */
export function searchBounded(
  length: number,
  searchFrom: (first: number, last: number) => boolean,
  now: () => number = spentMs,
): boolean {
  const beganAt = now();
  let partAt = beganAt;
  let places = longSubjectBytes;
  for (let first = 0; first <= length;) {
    const last = Math.min(first + places - 1, length);
    if (searchFrom(first, last)) return true;
    first = last + 1;
    const at = now();
    if (first <= length && at - beganAt > mostMs) throw new MatchFailure(exceededText);
    places = at - partAt < quickMs ? places * 4 : Math.max(1, Math.floor(places / 4));
    partAt = at;
  }
  return false;
}
