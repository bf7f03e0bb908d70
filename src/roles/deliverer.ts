/** The process that acts as one receiving user: mailboxes and commands. Its requests come over descriptor 3. */
import { Socket } from 'node:net';
import { serveDeliverer } from '#delivery';

export async function main(): Promise<void> {
  process.umask(0o077);
  const channel = new Socket({ fd: 3, readable: true, writable: true });
  channel.once('close', () => process.exit(0));
  await serveDeliverer(channel);
}
