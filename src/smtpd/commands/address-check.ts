/** The address of MAIL, RCPT or VRFY: its syntax, and whether routing can make sense of it. smtpd(8) */
import { isAsciiText, splitAddress } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { Resolution } from '#rewrite';
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';

/** An address that is not accepted: as it was given, the command, the reply. */
interface Refusal {
  readonly text: string;
  readonly command: string;
  readonly reply: string;
}

/**
 * Refuses what can't be routed: `a@b..c`, `a@[notanip]`, `-a@b`, and without SMTPUTF8 a domain that is not ASCII.
 * Undefined: the address will do.
 */
export function checkRoutable(
  session: Session,
  address: string,
  refusal: Refusal & { readonly isUtf8: boolean },
): MaybePromise<CommandResult | undefined> {
  // A table that can't be read says nothing against an address; the restrictions will see.
  const judge = (found: Resolution): CommandResult | undefined =>
    found.kind === 'invalid' || (found.kind === 'resolved' && !refusal.isUtf8 && hasUtf8Domain(found.recipient))
      ? refuseAddress(session, refusal)
      : undefined;
  // nobody routes what goes into the maildrop directory
  if (address === '' || session.options.isStandAlone) return undefined;
  const { rewriter } = session.options;
  return whenReady(rewriter.resolve(session.transaction?.sender ?? '', rewriter.rewrite(address, 'local')), judge);
}

function hasUtf8Domain(address: string): boolean {
  return !isAsciiText(splitAddress(address).domain);
}

/** strict_smtputf8: addresses that are not ASCII have to be announced. */
export function refusalOfUtf8({ settings }: Session, address: string, isDeclared: boolean): CommandResult | undefined {
  if (!settings.strictSmtputf8 || isDeclared || isAsciiText(address)) return undefined;
  return replyOf('553 5.6.7 Must declare SMTPUTF8 to send unicode address');
}

/** Warns of an address that is none, unless the command is cut off within it, and gives the reply. */
export function refuseAddress(
  session: Session,
  { text, command, reply }: Refusal,
  { isCut }: { readonly isCut: boolean } = { isCut: false },
): CommandResult {
  if (isCut) return replyOf(reply);
  session.options.events.emit({
    kind: 'warning',
    text: `Illegal address syntax from ${session.clientText} in ${command} command: ${text}`,
  });
  return replyOf(reply);
}
