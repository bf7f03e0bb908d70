/** Warnings and fatal errors of sendmail: to standard error and to the mail log. */
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
    const { openCommandLog } = await import('../command-log.ts');
    const log = await openCommandLog(settings);
    log?.channel(`${settings.string('syslog_name')}/sendmail`).emit({ kind, text });
    log?.flush();
  }
}
