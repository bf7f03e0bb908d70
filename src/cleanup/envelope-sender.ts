/** The envelope sender on its way in: in standard form, and as canonical maps have it. cleanup(8) */
import { canonicalise, type MessageMaps } from './address-maps.ts';
import type { Steps } from './steps.ts';

/** Mail in the name of this system's MAILER-DAEMON has the null sender; an address that a table gives stays. */
export function* cleanSender(given: string, maps: MessageMaps): Steps<string> {
  const standard = maps.rewriter.rewrite(given, 'local');
  return yield* canonicalise(isMailerDaemon(standard, maps) ? '' : standard, 'envelope_sender', maps);
}

function isMailerDaemon(sender: string, { rewriter }: MessageMaps): boolean {
  if (!/^mailer-daemon@/i.test(sender)) return false;
  return sender.toLowerCase() === rewriter.rewrite('MAILER-DAEMON', 'local').toLowerCase();
}
