/** The mail log to syslog(3), where no maillog_file is set. */
import { type AddressForm, renderPostfixText, type LogSink } from '#events';
import { openSyslog } from '#native';

const facilities: Readonly<Record<string, number>> = {
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};
const severities: Readonly<Record<string, number>> = { warning: 4, error: 3, fatal: 2, panic: 2 };

/** `facility`: syslog_facility. The tag, with its pid, stands in the text as syslogd would put it. */
export function createSyslogSink(facility: string, form: AddressForm, isUtf8: boolean): LogSink {
  const base = (facilities[facility] ?? 2) * 8;
  const syslog = openSyslog();
  return {
    write(records) {
      for (const { tag, event } of records)
        syslog(tag, base + (severities[event.kind] ?? 6), renderPostfixText(event, form, isUtf8));
    },
  };
}
