/** What a command has to say: on standard error, and in the mail log where this user may write it. */
import type { ConfigError, Settings } from '#config';
import { visible } from './printable.ts';
import type { CliIo } from './io.ts';

type Severity = 'note' | 'warning' | 'error' | 'fatal';

/** Commands that may write to the log whoever runs them: set-group-ID in Postfix, or not root any more. */
const speakToSystem: ReadonlySet<string> = new Set(['postqueue', 'postdrop', 'postsuper']);

export class Reporter {
  readonly #name: string;
  readonly #io: CliIo;
  readonly #settings: Settings | undefined;
  #pending: Promise<unknown> = Promise.resolve();

  /** `settings`: undefined where main.cf can't be read, which is told to syslog. */
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

  /** A warning out of what can't wait; see `settle`. */
  readonly warnNow = (text: string): void => {
    this.#pending = Promise.all([this.#pending, this.#say('warning', text)]);
  };

  /** The same for what is only good to know. */
  readonly noteNow = (text: string): void => {
    this.#pending = Promise.all([this.#pending, this.#say('note', text)]);
  };

  /** Resolves when all warnings are where they belong. */
  async settle(): Promise<void> {
    await this.#pending;
  }

  /** Gives `status`, so that a command can end with it. */
  async fatal(text: string, status: number): Promise<number> {
    await this.#say('fatal', text);
    return status;
  }

  /** What is wrong with the configuration, a line each. */
  async unusable({ problems }: ConfigError, status: number): Promise<number> {
    for (const text of problems) await this.#say('fatal', text);
    return status;
  }

  /** An error and what follows from it. */
  async refuse([error, fatal]: readonly [error: string, fatal: string], status: number): Promise<number> {
    await this.#say('error', error);
    return this.fatal(fatal, status);
  }

  async #say(severity: Severity, text: string): Promise<void> {
    const mark = severity === 'note' ? '' : `${severity}: `;
    this.#io.stderr(`${this.#name}: ${mark}${visible(text)}\n`);
    const { openCommandLog } = await import('./command-log.ts');
    const log = await openCommandLog(this.#settings, speakToSystem.has(this.#name));
    log?.channel(commandTag(this.#name, this.#settings, this.#io)).emit({ kind: severity, text });
    log?.flush();
  }
}

/** `postfix/NAME`. MAIL_LOGTAG stands in where main.cf can't be read. postfix(1) itself goes by its name alone, whatever main.cf says. */
function commandTag(name: string, settings: Settings | undefined, { env }: CliIo): string {
  if (name === 'postfix') return name;
  return `${settings?.string('syslog_name') ?? env['MAIL_LOGTAG'] ?? 'postfix'}/${name}`;
}
