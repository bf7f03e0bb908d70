/** Servers that outlive connections which can't be taken, as when descriptors are used up for a moment. accept(2) */
import type { ListenOptions, Server } from 'node:net';

/**
 * Listens; rejects when it can't. Errors after that are of single connections: `warn` is told, and the next one may be taken.
 * A socket that has a name in the file system is made before this returns.
 */
export function listenOn(
  server: Server,
  where: ListenOptions | { readonly fd: number },
  warn: (text: string) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      server.on('error', (error) => warn(`accept connection: ${error.message}`));
      resolve();
    });
  });
}
