/** The mail log to syslog(3), where no maillog_file is set. */
import { syslogFacilities } from '#config';
import { type AddressForm, renderPostfixText, type LogSink } from '#events';
import { openSyslog, type SyslogWriter } from '#native';

const severities: Readonly<Record<string, number>> = { warning: 4, error: 3, fatal: 2, panic: 2 };

/** `facility`: syslog_facility, in any case; `mail` for what is none. The tag, with its pid, is for the C library to add. */
export function createSyslogSink(
  facility: string,
  form: AddressForm,
  isUtf8: boolean,
  syslog: SyslogWriter = openSyslog(),
): LogSink {
  const base = (syslogFacilities[facility.toLowerCase()] ?? 2) * 8;
  return {
    write(records) {
      for (const { tag, event } of records)
        syslog(tag, base + (severities[event.kind] ?? 6), renderPostfixText(event, form, isUtf8));
    },
  };
}
