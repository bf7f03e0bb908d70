/** Where Postfix would keep a message: hash_queue_names, hash_queue_depth. */

export interface QueueHashing {
  readonly names: readonly string[];
  readonly depth: number;
}

const digits = '0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz';
const longForm = /^[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{6,}([0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-y]{4})z/;

/** Long IDs begin with what changes slowly: their directories are named by the microseconds, in hex as in short ones. */
function hashed(queueId: string): string {
  const microseconds = longForm.exec(queueId)?.[1];
  if (microseconds === undefined) return queueId;
  let value = 0;
  for (const digit of microseconds) value = value * digits.length + digits.indexOf(digit);
  return value.toString(16).toUpperCase().padStart(5, '0');
}

/** `deferred/A/A1B2C3`. */
export function queuePath(queue: string, queueId: string, { names, depth }: QueueHashing): string {
  if (!names.includes(queue)) return `${queue}/${queueId}`;
  const key = hashed(queueId);
  const directories = Array.from({ length: depth }, (_, at) => key.charAt(at) || '_');
  return [queue, ...directories, queueId].join('/');
}
