/** Warnings and fatal errors of sendmail: to standard error and to the mail log. */
import { openSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Settings } from '#config';
import type { CliIo } from '../io.ts';

const EX_TEMPFAIL = 75;

export class Reporter {
  readonly #io: CliIo;
  readonly #settings: Settings | undefined;

  constructor(io: CliIo, settings: Settings | undefined) {
    this.#io = io;
    this.#settings = settings;
  }

  async warn(text: string): Promise<void> {
    this.#io.stderr(`sendmail: warning: ${text}\n`);
    await this.#log('warning', text);
  }

  /** Gives the exit status. As in Postfix each fatal error is one that may be tried again. */
  async fatal(text: string): Promise<number> {
    this.#io.stderr(`sendmail: fatal: ${text}\n`);
    await this.#log('fatal', text);
    return EX_TEMPFAIL;
  }

  async #log(kind: 'warning' | 'fatal', text: string): Promise<void> {
    const settings = this.#settings;
    if (settings === undefined) return;
    const { createFileSink, EventLog } = await import('#events');
    const path = settings.string('maillog_file');
    if (path === '') return;
    let fd: number;
    try {
      fd = openSync(path, 'a');
    } catch {
      // Ordinary users may not write the log; they have read the text.
      return;
    }
    const log = new EventLog([createFileSink(fd, hostname().split('.', 1)[0] ?? '')]);
    log.channel(`${settings.string('syslog_name')}/sendmail`).emit({ kind, text });
    log.flush();
  }
}
