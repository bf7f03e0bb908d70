/** RSET and QUIT: how a transaction without content, or a connection, comes to its end. RFC 5321, 4.1.1.5, 4.1.1.10 */
import type { Connection } from './connection.ts';
import type { SmtpSettings } from './settings.ts';
import type { TransactionContext, TransactionEnd } from './transaction-context.ts';

/** RSET, because nothing will be sent; with QUIT when the connection is not kept. */
export async function reset(context: TransactionContext): Promise<TransactionEnd> {
  const { settings, connection, features } = context;
  const keep = context.mayKeep() && !connection.isSpent;
  const isTogether = !keep && features.pipelining;
  connection.commands(isTogether ? ['RSET', 'QUIT'] : ['RSET']);
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

export async function quit({ settings, connection }: TransactionContext): Promise<'ended'> {
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
