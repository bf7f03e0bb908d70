/** What can be the name of a message: long and short queue IDs, and those that others made. enable_long_queue_ids */
export function isQueueId(text: string): boolean {
  return /^[0-9A-Za-z_]{1,255}$/.test(text);
}
