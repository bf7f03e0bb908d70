/** The process that acts as one receiving user: mailboxes and commands. Its requests come over descriptor 3. */
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { parseRootLimits, serveDeliverer } from '#delivery';
import { becomeUser, returnMemoryWhenQuiet } from '#native';
import { nameProcess } from './process-name.ts';

/**
 * Started as root, ahead of need, and because only root may use the compile cache. Whom it becomes, uid and gid, comes
 * over standard input, and for root what it may do; nothing is read from descriptor 3 before that.
 */
export async function main(): Promise<void> {
  nameProcess('deliverer');
  flushCompileCache();
  returnMemoryWhenQuiet();
  const told = await text(process.stdin);
  // the supervisor ended without having had a use for this process
  if (told === '') return;
  const [whom = '', within = 'null'] = told.trim().split('\n');
  const [uid = Number.NaN, gid = Number.NaN] = whom.split(' ').map(Number);
  const limits = parseRootLimits(within);
  if (!(uid >= 0 && gid >= 0) || (limits === undefined && (uid === 0 || gid === 0)))
    throw new Error('the process of a receiving user is started by the supervisor');
  becomeUser({ uid, gid });
  process.umask(0o077);
  const channel = new Socket({ fd: 3, readable: true, writable: true });
  process.once('SIGTERM', () => channel.destroy());
  await serveDeliverer(channel, limits);
  // commands that still run are no reason to stay
  process.exit(0);
}
