/** The replies to the end of the content: what becomes of whom. RFC 5321, 4.1.1.4; RFC 2033, 4.2; RFC 3461, 5.2.2 */
import type { RequestRecipient } from '#message';
import type { Reply } from './reply.ts';
import { broken, isSuccess, type TransactionContext, type TransactionEnd } from './transaction-context.ts';
import type { EnvelopeState } from './transaction-envelope.ts';
import { refusal } from './refusal.ts';

const endOfData = 'end of DATA command';
const sendingEndOfData = 'sending end of data -- message may be sent more than once';

/** One reply, or with LMTP one for each recipient that was accepted. */
export async function endOfDataReplies(context: TransactionContext, envelope: EnvelopeState): Promise<boolean> {
  const { settings, connection } = context;
  const { accepted } = envelope;
  const expected = settings.protocol === 'lmtp' ? accepted.length : 1;
  for (let place = 0; place < Math.max(expected, 1); place++) {
    const next = connection.next(settings.timeouts.dataDone);
    const heard = next instanceof Promise ? await next : next;
    if (heard.kind !== 'reply') {
      broken(context, heard, connection.isFlushed ? sendingEndOfData : 'sending message body');
      return false;
    }
    judgeEndOfData(context, accepted, place, heard.reply);
  }
  return true;
}

function judgeEndOfData(
  context: TransactionContext,
  accepted: readonly RequestRecipient[],
  place: number,
  reply: Reply,
): void {
  const { settings, attempt, connection } = context;
  if (accepted.length === 0) return;
  const concerned = settings.protocol === 'lmtp' ? accepted.slice(place, place + 1) : accepted;
  if (isSuccess(reply)) {
    for (const recipient of concerned) attempt.accepted(recipient, reply, successAction(context));
  } else if (settings.protocol === 'lmtp') {
    for (const recipient of concerned) attempt.recipientRefused(recipient, refusal(connection, reply, endOfData));
  } else {
    attempt.messageRefused(refusal(connection, reply, endOfData));
  }
}

/** A server that speaks DSN reports success itself; one that does not gets it reported here (RFC 3461, 5.2.2). */
function successAction({ settings, features }: TransactionContext): 'relayed' | 'delivered' | undefined {
  if (features.dsn) return undefined;
  return settings.finalDelivery || settings.assumeFinal ? 'delivered' : 'relayed';
}

/** The server hung up in the middle of the content: it may have said why before. */
export async function lastWords(context: TransactionContext, envelope: EnvelopeState): Promise<TransactionEnd> {
  const heard = await context.connection.next(context.settings.timeouts.dataDone);
  // success without the end of the content is about something else
  if (heard.kind !== 'reply' || isSuccess(heard.reply))
    return broken(context, { kind: 'lost' }, 'sending message body');
  judgeEndOfData(context, envelope.accepted, 0, heard.reply);
  context.connection.destroy();
  return 'ended';
}
