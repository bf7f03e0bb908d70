/**
 * The mail log: events become Postfix's lines and go to a file, to syslog or to standard output.
 *
 * Lines gather during a turn of the event loop and are written at its end: one write for many lines. postlogd(8)
 */
import { writeSync } from 'node:fs';
import type { EventChannel, EventRecord, MailEvent } from './event.ts';
import { type AddressForm, renderPostfixText, renderTag } from './render.ts';

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
  const writeAll = createWriter(fd);
  return {
    write(records) {
      let text = '';
      for (const { at, tag, pid, event } of records) {
        const now = Math.floor(at / 1000);
        if (now !== second) [second, stamp] = [now, formatLogTime(at)];
        text += `${stamp} ${hostname} ${tag}[${pid}]: ${renderPostfixText(event, form, isUtf8)}\n`;
      }
      writeAll(Buffer.from(text));
    },
  };
}

/** How long in all a reader that is behind holds up the mail, before its lines are lost until it reads again. */
const patienceMs = 1000;
const pauseMs = 5;

/** Writes all of a buffer; a log that can't be written must not stop the mail. */
function createWriter(fd: number): (bytes: Buffer) => void {
  let patience = patienceMs;
  const pausing = new Int32Array(new SharedArrayBuffer(4));
  return (bytes) => {
    for (let rest = bytes; rest.length > 0;) {
      try {
        rest = rest.subarray(writeSync(fd, rest));
        patience = patienceMs;
      } catch (error) {
        // a full disk: the lines are lost, the mail is not
        const isBehind = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
        if (!isBehind || patience <= 0) return;
        patience -= pauseMs;
        Atomics.wait(pausing, 0, 0, pauseMs);
      }
    }
  };
}

/** Gathers events and hands them to a sink once per turn. */
export class EventLog {
  readonly #sinks: LogSink[];
  #waiting: EventRecord[] = [];

  constructor(sinks: readonly LogSink[]) {
    this.#sinks = [...sinks];
  }

  /** A channel for one service; `tag` is `SYSLOG_NAME/PROCESS`. `pid`: of the process that it speaks for. */
  channel(tag: string, pid = process.pid): EventChannel {
    const shown = renderTag(tag);
    return { emit: (event: MailEvent): void => this.#add({ at: Date.now(), tag: shown, pid, event }) };
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
