/** RSET and QUIT: how a transaction without content, or a connection, comes to its end. RFC 5321, 4.1.1.5, 4.1.1.10 */
import type { MaybePromise } from '#message';
import type { Connection } from './connection.ts';
import type { SmtpSettings } from './settings.ts';
import type { TransactionContext, TransactionEnd } from './transaction-context.ts';

/** RSET, because nothing will be sent; with QUIT when the connection is not kept. */
export async function reset(context: TransactionContext): Promise<TransactionEnd> {
  const { settings, connection } = context;
  const conclude = sendLast('RSET', context);
  const heard = await connection.next(settings.timeouts.rset);
  if (heard.kind === 'reply') return conclude();
  connection.destroy();
  return 'ended';
}

/**
 * Sends the last command of a transaction; QUIT goes with it where the connection is not kept and the server takes commands
 * together. What it gives is to be called after the command's replies: it keeps or ends the connection.
 */
export function sendLast(command: string, context: TransactionContext): () => MaybePromise<TransactionEnd> {
  const { settings, connection, features } = context;
  const keep = context.mayKeep() && !connection.isSpent;
  const isTogether = !keep && features.pipelining;
  connection.commands(isTogether ? [command, 'QUIT'] : [command]);
  return () => {
    if (keep && !connection.isSpent) return 'kept';
    return isTogether ? endAfterQuit(connection, settings) : quit(context);
  };
}

async function quit({ settings, connection }: TransactionContext): Promise<'ended'> {
  await sayGoodbye(connection, settings);
  return 'ended';
}

/** QUIT, and its reply if the settings want to see it. */
export async function sayGoodbye(connection: Connection, settings: SmtpSettings): Promise<void> {
  if (connection.isLost) {
    connection.end();
    return;
  }
  connection.command('QUIT');
  await endAfterQuit(connection, settings);
}

async function endAfterQuit(connection: Connection, settings: SmtpSettings): Promise<'ended'> {
  if (!settings.skipQuitResponse) await connection.next(settings.timeouts.quit);
  connection.end();
  return 'ended';
}
