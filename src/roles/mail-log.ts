/** The log as main.cf has it: maillog_file, or syslog. */
import { closeSync } from 'node:fs';
import { ConfigError, type MailOwner, mailOwner, type Settings } from '#config';
import { createFileSink, type EventRecord, type LogSink } from '#events';
import { openLogFile } from '#master';
import { createSyslogSink } from './syslog-sink.ts';

/** Throws ConfigError when maillog_file can't be used. */
export function openMailLog(settings: Settings): LogSink {
  return mailLogSink(settings, openLogFile(settings, mailOwner(settings)));
}

/** `fd`: the open maillog_file; undefined for syslog. */
export function mailLogSink(settings: Settings, fd: number | undefined): LogSink {
  const form = settings.string('info_log_address_format') === 'internal' ? 'internal' : 'external';
  const isUtf8 = settings.bool('smtputf8_enable');
  return fd === undefined
    ? createSyslogSink(settings.string('syslog_facility'), form, isUtf8)
    : createFileSink(fd, settings.string('myhostname').split('.')[0] ?? '', form, isUtf8);
}

/** The log of a process that lives on while its file is moved away: `postfix logrotate`. */
export class RunningLog implements LogSink {
  #fd: number | undefined;
  #sink: LogSink;

  /** `fd`: the open maillog_file; undefined for syslog. */
  constructor(settings: Settings, fd: number | undefined) {
    this.#fd = fd;
    this.#sink = mailLogSink(settings, fd);
  }

  get fd(): number | undefined {
    return this.#fd;
  }

  write(records: readonly EventRecord[]): void {
    this.#sink.write(records);
  }

  /** Where the log can't be opened, what is open stays in use: gives the reasons. */
  reopen(settings: Settings, owner?: MailOwner): readonly string[] {
    const before = this.#fd;
    try {
      this.#fd = openLogFile(settings, owner);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems;
    }
    this.#sink = mailLogSink(settings, this.#fd);
    if (before !== undefined && before > 2) closeSync(before);
    return [];
  }
}
