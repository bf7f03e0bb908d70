/** The log as main.cf has it: maillog_file, or syslog. */
import type { Settings } from '#config';
import { createFileSink, type LogSink } from '#events';
import { openLogFile } from '#master';
import { mailOwner } from './mail-owner.ts';
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
