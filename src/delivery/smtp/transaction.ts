/**
 * One message over one connection: envelope, content, end of data, and whether the connection can be kept for another
 * (RFC 5321, 3.3; RFC 2920; RFC 2033). The final dot takes QUIT with it when it can't.
 */
import { endOfDataReplies, lastWords } from './end-of-data.ts';
import { reset, sendLast } from './goodbye.ts';
import { writeContent } from './transaction-content.ts';
import { broken, type TransactionContext, type TransactionEnd } from './transaction-context.ts';
import { EnvelopeState, sendEnvelope } from './transaction-envelope.ts';

/** Sends the message to the recipients that are left. Reports what becomes of each to the attempt. */
export async function transfer(context: TransactionContext): Promise<TransactionEnd> {
  const { attempt, connection, features } = context;
  const { request } = attempt;
  if (features.sizeLimit > 0 && features.sizeLimit < request.sizeBytes) {
    attempt.messageRefused({
      code: '5.3.4',
      reason: `message size ${request.sizeBytes} exceeds size limit ${features.sizeLimit} of server ${connection.name}`,
    });
    attempt.hadCompleteSession = true;
    // as Postfix, which has nothing more to say to such a server
    connection.destroy();
    return 'ended';
  }
  const envelope = new EnvelopeState(context);
  const sent = await sendEnvelope(context, envelope);
  if (sent !== 'sent') return sent;
  const end = await afterEnvelope(context, envelope);
  if (end !== 'broken') attempt.hadCompleteSession = true;
  return end;
}

/** Content when somebody will get it, a lone dot when DATA was answered all the same, RSET otherwise. */
async function afterEnvelope(context: TransactionContext, envelope: EnvelopeState): Promise<TransactionEnd> {
  const { attempt, connection } = context;
  const { dataReply, accepted } = envelope;
  if (dataReply === undefined || envelope.dataRejected) return reset(context);
  if (attempt.request.probe) {
    // the server waits for content that will never come: nothing more can be said
    for (const recipient of accepted) attempt.accepted(recipient, { ...dataReply, dsn: '2.0.0' }, undefined);
    connection.destroy();
    return 'ended';
  }
  if (accepted.length > 0) {
    const written = await writeContent(context);
    if (written === 'timeout') return broken(context, { kind: 'timeout' }, 'sending message body');
    if (written === 'lost') return lastWords(context, envelope);
    if (written === 'unconverted') return 'ended';
  }
  const conclude = sendLast('.', context);
  connection.release();
  const heardAll = await endOfDataReplies(context, envelope);
  return heardAll ? conclude() : 'broken';
}
