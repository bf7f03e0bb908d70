/** Tells comsat(8) of new mail in a mailbox of the spool, for users who have said `biff y`. postconf(5) biff */
import type { Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';

/** `offset`: where in the mailbox the new message begins. */
export type TellNewMail = (user: string, offset: number) => void;

const host = '127.0.0.1';
/** When /etc/services does not know it. */
const standardPort = 512;

/** One datagram a message, to this machine; nobody has to listen. */
export function createBiff(port: number = biffPort()): { readonly tell: TellNewMail; close(): void } {
  let opening: Promise<Socket> | undefined;
  const open = async (): Promise<Socket> => {
    const { createSocket } = await import('node:dgram');
    const socket = createSocket('udp4');
    // a lost notice is no reason for anything
    socket.on('error', () => undefined);
    socket.unref();
    return socket;
  };
  return {
    tell(user, offset) {
      opening ??= open();
      void opening.then((socket) => socket.send(`${user}@${offset}\0`, port, host)).catch(() => undefined);
    },
    close() {
      void opening?.then((socket) => socket.close());
    },
  };
}

/** services(5) */
export function biffPort(file = '/etc/services'): number {
  try {
    const found = /^biff\s+(\d+)\/udp\b/m.exec(readFileSync(file, 'utf8'));
    return found === null ? standardPort : Number(found[1]);
  } catch {
    return standardPort;
  }
}
