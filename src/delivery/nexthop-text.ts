/** The nexthop of error, retry and discard: a text for the log and the sender, after an optional RFC 3463 code. error(8) */
import type { Status } from '#message';

/** A code of another class than the fallback's is dropped: `error:4.7.1 odd` bounces with 5.0.0. */
export function statusOfNexthop(nexthop: string, fallback: Status): Status {
  const match = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+(.*))?$/s.exec(nexthop.trim());
  const code = match?.[1] ?? fallback.code;
  const text = match === null ? nexthop.trim() : (match[2] ?? '').trim();
  return { code: code[0] === fallback.code[0] ? code : fallback.code, reason: text === '' ? fallback.reason : text };
}
