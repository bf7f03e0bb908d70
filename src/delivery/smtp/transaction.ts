/**
 * One message over one connection: MAIL, RCPT, DATA, content, and the replies (RFC 5321, 3.3; RFC 2920; RFC 2033).
 *
 * With PIPELINING the whole envelope goes out in one write and the replies are read after it; without, each command waits
 * for the reply before. The final dot takes QUIT with it when the connection is not kept.
 */
import type { RequestRecipient } from '#message';
import type { Connection } from './connection.ts';
import { ContentEncoder } from './content-encoder.ts';
import { mailCommand, rcptCommand, type WireAddresses, xforwardCommands } from './envelope-commands.ts';
import type { ServerFeatures } from './features.ts';
import type { OutputConverter } from './output-converter.ts';
import { CheckFailure } from './output-rules.ts';
import { oneLine, refusal, type Attempt } from './trouble.ts';
import type { Reply } from './reply.ts';
import type { SmtpSettings } from './settings.ts';

export interface TransactionContext {
  readonly settings: SmtpSettings;
  readonly attempt: Attempt;
  readonly connection: Connection;
  readonly features: ServerFeatures;
  readonly delayDot: boolean;
  readonly addresses: WireAddresses;
  /** The connection has been used: ask first whether it is still good. */
  readonly probeFirst: boolean;
  /** Whether the connection may be kept for another message, asked when the content is out. */
  readonly mayKeep: () => boolean;
  /** Content that is converted for this server; undefined when it goes as it is. */
  readonly converter: OutputConverter | undefined;
  readonly onLineBreak: () => void;
  readonly warn: (text: string) => void;
}

/** How a transaction left its connection. */
export type TransactionEnd =
  /** Ready for another message. */
  | 'kept'
  /** QUIT was said. */
  | 'ended'
  /** Gone, or in no state to go on; the attempt has been told. */
  | 'broken'
  /** A reused connection was gone before anything was said: no harm done. */
  | 'stale';

interface Step {
  readonly command: string;
  readonly timeoutMs: number;
  readonly doing: string;
  readonly heard: (reply: Reply) => void;
}

const endOfData = 'end of DATA command';
const sendingEndOfData = 'sending end of data -- message may be sent more than once';

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
    return quit(context);
  }
  const envelope = new EnvelopeState(context);
  const sent = await (features.pipelining ? sendTogether(context, envelope) : sendInTurn(context, envelope));
  if (sent !== 'sent') return sent;
  const end = await afterEnvelope(context, envelope);
  if (end !== 'broken') attempt.hadCompleteSession = true;
  return end;
}

/** What the replies to the envelope have told so far. */
class EnvelopeState {
  readonly steps: readonly Step[];
  mailRejected = false;
  dataRejected = false;
  dataReply: Reply | undefined;
  readonly accepted: RequestRecipient[] = [];

  constructor(context: TransactionContext) {
    const { settings, attempt, connection, features, addresses, converter, warn } = context;
    const { request } = attempt;
    const { timeouts } = settings;
    const steps: Step[] = [];
    if (context.probeFirst) {
      steps.push({ command: 'RSET', timeoutMs: timeouts.rset, doing: 'sending RSET probe', heard: () => {} });
    }
    if (settings.sendXforward) {
      const { nameAddress, protocolHelo } = xforwardCommands(request, features.xforward);
      const tell = (command: string | undefined, doing: string, inReplyTo: string): void => {
        if (command === undefined) return;
        const heard = (reply: Reply): void => {
          if (!isSuccess(reply)) warn(`host ${connection.label} said: ${oneLine(reply)} (in reply to ${inReplyTo})`);
        };
        steps.push({ command, timeoutMs: timeouts.xforward, doing, heard });
      };
      tell(nameAddress, 'sending XFORWARD name/address', 'XFORWARD name/address command');
      tell(protocolHelo, 'sending XFORWARD protocol/helo_name', 'XFORWARD helo/protocol command');
    }
    steps.push({
      command: mailCommand(request, features, addresses, converter === undefined),
      timeoutMs: timeouts.mail,
      doing: 'sending MAIL FROM',
      heard: (reply) => {
        if (isSuccess(reply)) return;
        this.mailRejected = true;
        attempt.messageRefused(refusal(connection, reply, 'MAIL FROM command'));
      },
    });
    for (const recipient of attempt.recipients) {
      steps.push({
        command: rcptCommand(request, recipient, features, addresses),
        timeoutMs: timeouts.rcpt,
        doing: 'sending RCPT TO',
        heard: (reply) => {
          if (this.mailRejected) return;
          if (!isSuccess(reply)) attempt.recipientRefused(recipient, refusal(connection, reply, 'RCPT TO command'));
          else {
            this.accepted.push(recipient);
            if (request.probe && settings.probeStage === 'rcpt') attempt.accepted(recipient, reply, undefined);
          }
        },
      });
    }
    if (!(request.probe && settings.probeStage === 'rcpt')) {
      steps.push({
        command: 'DATA',
        timeoutMs: timeouts.dataInit,
        doing: 'sending DATA command',
        heard: (reply) => {
          this.dataReply = reply;
          if (reply.code >= 300 && reply.code < 400) return;
          this.dataRejected = true;
          if (this.accepted.length > 0) attempt.messageRefused(refusal(connection, reply, 'DATA command'));
        },
      });
    }
    this.steps = steps;
  }
}

function isSuccess(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}

type EnvelopeEnd = 'sent' | 'broken' | 'stale';

/** The whole envelope in one write, then its replies. */
async function sendTogether(context: TransactionContext, envelope: EnvelopeState): Promise<EnvelopeEnd> {
  const { attempt, connection } = context;
  attempt.noteConnected();
  let text = '';
  for (const { command } of envelope.steps) text += `${command}\r\n`;
  connection.write(text);
  for (const [place, step] of envelope.steps.entries()) {
    const end = await answer(context, step, place === 0);
    if (end !== 'sent') return end;
  }
  return 'sent';
}

/** Command by command; what can't succeed any more is not said. */
async function sendInTurn(context: TransactionContext, envelope: EnvelopeState): Promise<EnvelopeEnd> {
  const { attempt, connection } = context;
  attempt.noteConnected();
  for (const [place, step] of envelope.steps.entries()) {
    if (envelope.mailRejected || (step.command === 'DATA' && envelope.accepted.length === 0)) break;
    connection.command(step.command);
    const end = await answer(context, step, place === 0);
    if (end !== 'sent') return end;
  }
  return 'sent';
}

async function answer(context: TransactionContext, step: Step, isFirst: boolean): Promise<EnvelopeEnd> {
  const next = context.connection.next(step.timeoutMs);
  const heard = next instanceof Promise ? await next : next;
  if (heard.kind === 'reply') {
    if (isFirst && context.probeFirst && !isSuccess(heard.reply)) {
      context.connection.destroy();
      return 'stale';
    }
    step.heard(heard.reply);
    return 'sent';
  }
  if (isFirst && context.probeFirst) {
    context.connection.destroy();
    return 'stale';
  }
  return broken(context, heard, step.doing);
}

function broken(
  { attempt, connection, warn }: TransactionContext,
  heard: { readonly kind: 'lost' | 'timeout' } | { readonly kind: 'garbage'; readonly line: string },
  doing: string,
): 'broken' {
  if (heard.kind === 'garbage') {
    warn(`${attempt.request.queueId}: non-ESMTP response from ${connection.label}: ${heard.line}`);
    warn(
      `to prevent loss of mail, turn off command pipelining for ${connection.endpoint.address} with the smtp_discard_ehlo_keyword_address_maps parameter`,
    );
  }
  attempt.brokeOff(heard.kind, doing);
  connection.destroy();
  return 'broken';
}

/** Content when somebody will get it, a lone dot when DATA was answered all the same, RSET otherwise. */
async function afterEnvelope(context: TransactionContext, envelope: EnvelopeState): Promise<TransactionEnd> {
  const { attempt, connection, settings } = context;
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
  const keep = context.mayKeep() && !connection.isSpent;
  const isTogether = !keep && context.features.pipelining;
  connection.write(isTogether ? '.\r\nQUIT\r\n' : '.\r\n');
  connection.release();
  const heardAll = await endOfDataReplies(context, envelope);
  if (!heardAll) return 'broken';
  if (keep && !connection.isSpent) return 'kept';
  if (isTogether) {
    if (!settings.skipQuitResponse) await connection.next(settings.timeouts.quit);
    connection.end();
    return 'ended';
  }
  return quit(context);
}

/** One reply, or with LMTP one for each recipient that was accepted. */
async function endOfDataReplies(context: TransactionContext, envelope: EnvelopeState): Promise<boolean> {
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
  if (settings.finalDelivery || (settings.assumeFinal && !features.dsn)) return 'delivered';
  return features.dsn ? undefined : 'relayed';
}

/** The server hung up in the middle of the content: it may have said why before. */
async function lastWords(context: TransactionContext, envelope: EnvelopeState): Promise<TransactionEnd> {
  const heard = await context.connection.next(context.settings.timeouts.dataDone);
  if (heard.kind !== 'reply') return broken(context, { kind: 'lost' }, 'sending message body');
  judgeEndOfData(context, envelope.accepted, 0, heard.reply);
  context.connection.destroy();
  return 'ended';
}

type Written = 'written' | 'lost' | 'timeout' | 'unconverted';

/** Writes the content, dot-stuffed, up to but without the final dot. Writes are held until the dot goes with them. */
async function writeContent(context: TransactionContext): Promise<Written> {
  const { settings, attempt, connection, converter, delayDot } = context;
  const { content } = attempt.request;
  const encoder = new ContentEncoder({ lineLimit: settings.lineLengthLimit, onBreak: context.onLineBreak });
  const emit = (piece: Buffer): void => connection.write(piece);
  connection.hold();
  try {
    const chunks = converter === undefined ? content.chunks() : converter.convert(content.chunks());
    const isReady = Symbol.iterator in chunks;
    for await (const chunk of isReady ? firstOf(chunks, encoder, emit, connection) : chunks) {
      encoder.encode(chunk, emit);
      if (!connection.needsDrain) continue;
      connection.release();
      const state = await connection.drained(settings.timeouts.dataBlock);
      if (state !== 'drained') return state;
      connection.hold();
    }
  } catch (error) {
    // what the server has is no whole message, so no dot may follow
    connection.destroy();
    if (error instanceof CheckFailure) return refuseContent(context, `checks lookup error: ${error.message}`);
    throw error;
  }
  if (converter?.isTooDeep === true) {
    attempt.messageRefused({ code: '5.6.0', reason: 'MIME nesting exceeds safety limit' });
    connection.destroy();
    return 'unconverted';
  }
  encoder.finish(emit);
  if (delayDot) {
    connection.release();
    await new Promise((done) => setTimeout(done, settings.pixDelayMs));
    connection.hold();
  }
  return connection.isLost ? 'lost' : 'written';
}

/** Takes what is in memory already without waiting, up to where the connection is full; gives the rest. */
function* firstOf(
  chunks: Iterable<Buffer>,
  encoder: ContentEncoder,
  emit: (piece: Buffer) => void,
  connection: Connection,
): Generator<Buffer> {
  for (const chunk of chunks) {
    if (connection.needsDrain) yield chunk;
    else encoder.encode(chunk, emit);
  }
}

function refuseContent({ attempt, connection, warn }: TransactionContext, what: string): 'unconverted' {
  warn(`${attempt.request.queueId}: ${what}`);
  attempt.messageRefused({ code: '4.3.0', reason: `local data error while talking to ${connection.name}` });
  return 'unconverted';
}

/** RSET, because nothing will be sent; with QUIT when the connection is not kept. */
async function reset(context: TransactionContext): Promise<TransactionEnd> {
  const { settings, connection, features } = context;
  const keep = context.mayKeep() && !connection.isSpent;
  const isTogether = !keep && features.pipelining;
  connection.write(isTogether ? 'RSET\r\nQUIT\r\n' : 'RSET\r\n');
  const heard = await connection.next(settings.timeouts.rset);
  if (heard.kind !== 'reply') {
    connection.destroy();
    return 'ended';
  }
  if (keep && !connection.isSpent) return 'kept';
  if (isTogether) {
    if (!settings.skipQuitResponse) await connection.next(settings.timeouts.quit);
    connection.end();
    return 'ended';
  }
  return quit(context);
}

async function quit({ settings, connection }: TransactionContext): Promise<'ended'> {
  await sayGoodbye(connection, settings);
  return 'ended';
}

/** QUIT, and its reply if the settings want to see it. */
export async function sayGoodbye(connection: Connection, settings: SmtpSettings): Promise<void> {
  if (!connection.isLost) {
    connection.command('QUIT');
    if (!settings.skipQuitResponse) await connection.next(settings.timeouts.quit);
  }
  connection.end();
}
