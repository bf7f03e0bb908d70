/** Records of a queue file, as Postfix would have written them for a message: what postcat(1) shows of them. */
import { asciiTime } from '../ascii-time.ts';

export interface QueueRecord {
  /** The letter that stands for its kind. */
  readonly type: string;
  readonly data: Buffer;
  /** Without line end. */
  readonly shown: string;
}

const names: Readonly<Record<string, string>> = {
  A: 'named_attribute',
  C: 'message_size',
  D: 'done_recipient',
  F: 'sender_fullname',
  L: 'content_filter',
  O: 'original_recipient',
  R: 'recipient',
  S: 'sender',
  V: 'verp_delimiters',
};

/** `shown`: where that is not the data under the record's name. */
export function record(type: string, data: string, shown = `${names[type] ?? ''}: ${data}`): QueueRecord {
  return { type, data: Buffer.from(data), shown };
}

/** Bytes in the file: type, length (7 bits a byte), data. */
export function recordSize(dataBytes: number): number {
  let lengthBytes = 1;
  for (let rest = dataBytes >> 7; rest > 0; rest >>= 7) lengthBytes++;
  return 1 + lengthBytes + dataBytes;
}

/** When the message arrived; `at`: ms since the epoch. */
export function arrivalRecord(at: number): QueueRecord {
  return record('T', `${Math.floor(at / 1000)} ${(at % 1000) * 1000}`, `message_arrival_time: ${asciiTime(at)}`);
}

export function createTimeRecord(at: number): QueueRecord {
  return record('A', `create_time=${Math.floor(at / 1000)}`, `create_time: ${asciiTime(at)}`);
}

/** `name=value` records; those without a value are not written. */
export function attributeRecords(
  attributes: readonly (readonly [name: string, value: string])[],
): readonly QueueRecord[] {
  return attributes.filter(([, value]) => value !== '').map(([name, value]) => record('A', `${name}=${value}`));
}
