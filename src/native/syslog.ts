/** syslog(3) through the C library. */
import { koffi } from './koffi.ts';

/** Writes one line: tag (`postfix/smtpd`), priority (facility × 8 + severity), text. */
export type SyslogWriter = (tag: string, priority: number, text: string) => void;

/** Opens syslog. The tag must outlive the calls in C, so it is re-opened only when it changes. */
export function openSyslog(): SyslogWriter {
  const libc = koffi().load('libc.so.6');
  const openlog = libc.func('void openlog(const char *ident, int option, int facility)');
  const syslog = libc.func('void syslog(int priority, const char *format, const char *text)');
  const idents = new Map<string, unknown>();
  const LOG_PID = 1;
  let current = '';
  return (tag, priority, text) => {
    if (tag !== current) {
      let ident = idents.get(tag);
      if (ident === undefined) {
        const bytes = Buffer.from(`${tag}\0`);
        ident = koffi().alloc('char', bytes.length);
        koffi().encode(ident, koffi().array('char', bytes.length), bytes);
        idents.set(tag, ident);
      }
      openlog(ident, LOG_PID, priority & ~7);
      current = tag;
    }
    syslog(priority, '%s', text);
  };
}
