/** What a command has to say: on standard error, and in the mail log where this user may write it. */
import type { Settings } from '#config';
import { printableUtf8 } from './printable.ts';
import type { CliIo } from './io.ts';

type Severity = 'note' | 'warning' | 'error' | 'fatal';

export class Reporter {
  readonly #name: string;
  readonly #io: CliIo;
  readonly #settings: Settings | undefined;

  /** Without settings nothing is logged. */
  constructor(name: string, io: CliIo, settings: Settings | undefined) {
    this.#name = name;
    this.#io = io;
    this.#settings = settings;
  }

  info(text: string): Promise<void> {
    return this.#say('note', text);
  }

  warn(text: string): Promise<void> {
    return this.#say('warning', text);
  }

  /** Gives `status`, so that a command can end with it. */
  async fatal(text: string, status: number): Promise<number> {
    await this.#say('fatal', text);
    return status;
  }

  async #say(severity: Severity, text: string): Promise<void> {
    const mark = severity === 'note' ? '' : `${severity}: `;
    this.#io.stderr(`${this.#name}: ${mark}${printableUtf8(text)}\n`);
    const settings = this.#settings;
    if (settings === undefined) return;
    const { openCommandLog } = await import('./command-log.ts');
    const log = await openCommandLog(settings);
    log?.channel(`${settings.string('syslog_name')}/${this.#name}`).emit({ kind: severity, text });
    log?.flush();
  }
}
