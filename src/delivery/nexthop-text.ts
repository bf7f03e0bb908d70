/** The nexthop of error, retry and discard: a text for the log and the sender, after an optional RFC 3463 code. error(8) */
import type { Status } from '#message';

/** A code of another class than the fallback's is dropped, and `ignore` hears of it: `error:4.7.1 odd` bounces with 5.0.0. */
export function statusOfNexthop(nexthop: string, fallback: Status, ignore: (code: string) => void): Status {
  const text = nexthop.trim();
  if (text === '') return fallback;
  const [, code, reason = text] = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)(.*)$/s.exec(text) ?? [];
  if (code === undefined) return { code: fallback.code, reason };
  if (code[0] === fallback.code[0]) return { code, reason };
  ignore(code);
  return { code: fallback.code, reason };
}
