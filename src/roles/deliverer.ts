/** The process that acts as one receiving user: mailboxes and commands. Its requests come over descriptor 3. */
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import { serveDeliverer } from '#delivery';
import { becomeUser } from './become-user.ts';

/** Arguments: uid and gid. Started as root, because only root may use the compile cache, which halves the start. */
export async function main(args: readonly string[]): Promise<void> {
  const [uid = Number.NaN, gid = Number.NaN] = args.map(Number);
  if (!(uid > 0 && gid > 0)) throw new Error('the process of a receiving user is started by the supervisor');
  flushCompileCache();
  becomeUser({ uid, gid });
  process.umask(0o077);
  const channel = new Socket({ fd: 3, readable: true, writable: true });
  channel.once('close', () => process.exit(0));
  await serveDeliverer(channel);
}
