/**
 * The envelope of a transaction: XFORWARD, MAIL, RCPT and DATA, and the replies. RFC 5321, 3.3; RFC 2920
 *
 * With PIPELINING the whole envelope goes out in one write and the replies are read after it; without, each command waits
 * for the reply before.
 */
import type { RequestRecipient } from '#message';
import { mailCommand, rcptCommand, xforwardCommands } from './envelope-commands.ts';
import { broken, isSuccess, type TransactionContext } from './transaction-context.ts';
import { oneLine, refusal } from './refusal.ts';
import type { Reply } from './reply.ts';

interface Step {
  readonly command: string;
  readonly timeoutMs: number;
  readonly doing: string;
  readonly heard: (reply: Reply) => void;
}

/** What the replies to the envelope have told so far. */
export class EnvelopeState {
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
      command: mailCommand(request, features, addresses, converter?.downgrades !== true),
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

type EnvelopeEnd = 'sent' | 'broken' | 'stale';

export function sendEnvelope(context: TransactionContext, envelope: EnvelopeState): Promise<EnvelopeEnd> {
  return context.features.pipelining ? sendTogether(context, envelope) : sendInTurn(context, envelope);
}

/** The whole envelope in one write, then its replies. */
async function sendTogether(context: TransactionContext, envelope: EnvelopeState): Promise<EnvelopeEnd> {
  const { attempt, connection } = context;
  attempt.noteConnected();
  connection.commands(envelope.steps.map(({ command }) => command));
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
