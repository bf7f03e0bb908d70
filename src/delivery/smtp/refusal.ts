/** What a server refused, as a status that tells its words. RFC 5321, 4.2; RFC 3463 */
import type { Status } from '#message';
import type { Connection } from './connection.ts';
import type { Reply } from './reply.ts';
import type { SmtpSettings } from './settings.ts';
import type { Attempt } from './trouble.ts';

/** The answer of a server, as a status: `host N said: TEXT (in reply to COMMAND)`. */
export function refusal(connection: Connection, reply: Reply, inReplyTo: string): Status {
  const text = oneLine(reply);
  return fromReply(connection, reply, `host ${connection.name} said: ${text} (in reply to ${inReplyTo})`);
}

/** A server that does not want to talk at all. */
export function turnedAway(connection: Connection, reply: Reply): Status {
  return fromReply(connection, reply, `host ${connection.name} refused to talk to me: ${oneLine(reply)}`);
}

/** A reply on one line. */
export function oneLine(reply: Reply): string {
  return reply.text.replaceAll('\n', ' ');
}

/** A success where none can be. */
function isNonsense({ code }: Reply): boolean {
  return code >= 200 && code < 300;
}

function fromReply(connection: Connection, reply: Reply, reason: string): Status {
  connection.noteRefusal(reply.code);
  const isFailure = reply.dsn.startsWith('4') || reply.dsn.startsWith('5');
  return {
    code: isFailure ? reply.dsn : '5.5.0',
    reason: isNonsense(reply) ? `Protocol error: ${reason}` : reason,
    diagnostic: { type: 'smtp', text: oneLine(reply) },
    remoteMta: `dns; ${connection.endpoint.host}`,
  };
}

interface OutOfStep {
  readonly attempt: Attempt;
  readonly connection: Connection;
  readonly settings: SmtpSettings;
  readonly warn: (text: string) => void;
}

/** The server has said a line that is no reply, while commands are pipelined. */
export function warnOfGarbage({ attempt, connection, settings, warn }: OutOfStep, line: string): void {
  const kind = settings.protocol === 'smtp' ? 'ESMTP' : 'LMTP';
  warn(`${attempt.request.queueId}: non-${kind} response from ${connection.label}: ${line}`);
  const { address } = connection.endpoint;
  const remedy = `turn off command pipelining for ${address} with the ${settings.discardKeywordMaps} parameter`;
  if (settings.helpfulWarnings) warn(`to prevent loss of mail, ${remedy}`);
}
