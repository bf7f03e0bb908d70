/**
 * The mail log: events become Postfix's lines and go to a file, to syslog or to standard output.
 *
 * Lines gather during a turn of the event loop and are written at its end: one write for many lines. postlogd(8)
 */
import { writeSync } from 'node:fs';
import type { EventChannel, EventRecord, MailEvent } from './event.ts';
import { type AddressForm, renderPostfixText } from './render.ts';

/** Where finished lines go. */
export interface LogSink {
  write(records: readonly EventRecord[]): void;
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `Mon dd hh:mm:ss` in local time, day padded with a blank. */
export function formatLogTime(at: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  const day = String(date.getDate()).padStart(2, ' ');
  return `${months[date.getMonth()] ?? ''} ${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Lines in Postfix's shape to an open file or standard output. */
export function createFileSink(fd: number, hostname: string, form: AddressForm = 'external', isUtf8 = true): LogSink {
  let second = -1;
  let stamp = '';
  return {
    write(records) {
      let text = '';
      for (const { at, tag, pid, event } of records) {
        const now = Math.floor(at / 1000);
        if (now !== second) [second, stamp] = [now, formatLogTime(at)];
        text += `${stamp} ${hostname} ${tag}[${pid}]: ${renderPostfixText(event, form, isUtf8)}\n`;
      }
      writeAll(fd, Buffer.from(text));
    },
  };
}

/** Writes all of a buffer; a log that can't be written must not stop the mail. */
function writeAll(fd: number, bytes: Buffer): void {
  let rest = bytes;
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(fd, rest));
  } catch {
    // a full disk: the lines are lost, the mail is not
  }
}

/** Gathers events and hands them to a sink once per turn. */
export class EventLog {
  readonly #sinks: LogSink[];
  #waiting: EventRecord[] = [];

  constructor(sinks: readonly LogSink[]) {
    this.#sinks = [...sinks];
  }

  /** A channel for one service; `tag` is `SYSLOG_NAME/PROCESS`. */
  channel(tag: string): EventChannel {
    return { emit: (event: MailEvent): void => this.#add({ at: Date.now(), tag, pid: process.pid, event }) };
  }

  #add(record: EventRecord): void {
    if (this.#waiting.length === 0) setImmediate(() => this.flush());
    this.#waiting.push(record);
  }

  /** Writes what has gathered; also to be called before the process ends. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const records = this.#waiting;
    this.#waiting = [];
    for (const sink of this.#sinks) sink.write(records);
  }
}
