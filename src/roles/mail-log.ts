/** The log as main.cf has it: maillog_file, or syslog. */
import type { Settings } from '#config';
import { createFileSink, type LogSink } from '#events';
import { openLogFile } from '#master';
import { mailOwner } from './mail-owner.ts';
import { createSyslogSink } from './syslog-sink.ts';

/** Throws ConfigError when maillog_file can't be used. */
export function openMailLog(settings: Settings): LogSink {
  const hostname = settings.string('myhostname').split('.')[0] ?? '';
  const fd = openLogFile(settings, mailOwner(settings));
  return fd === undefined ? createSyslogSink(settings.string('syslog_facility')) : createFileSink(fd, hostname);
}
