/** syslog(3) through the C library. */
import { koffi } from './koffi.ts';

/** Writes one line: tag (`postfix/smtpd`), priority (facility × 8 + severity), text. */
export type SyslogWriter = (tag: string, priority: number, text: string) => void;

/** Longer tags are cut. */
const mostTagBytes = 2000;
const LOG_PID = 1;

let writer: SyslogWriter | undefined;

/** The process has one connection to syslog, and one name there. */
export function openSyslog(): SyslogWriter {
  writer ??= createWriter();
  return writer;
}

function createWriter(): SyslogWriter {
  const libc = koffi().load('libc.so.6');
  const openlog = libc.func('void openlog(const uint8_t *ident, int option, int facility)');
  const syslog = libc.func('void syslog(int priority, const char *format, const char *text)');
  // C keeps the address, not the text: one place for all tags, which lives as long as the process
  const ident = Buffer.alloc(mostTagBytes + 1);
  let current = '';
  return (tag, priority, text) => {
    if (tag !== current) {
      ident.fill(0);
      ident.write(tag, 0, mostTagBytes);
      openlog(ident, LOG_PID, priority & ~7);
      current = tag;
    }
    syslog(priority, '%s', text);
  };
}
