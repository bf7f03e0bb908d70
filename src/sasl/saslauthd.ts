/** A client of saslauthd(8): one connection a password, four counted strings there, one back. */
import { connect } from 'node:net';
import { errnoText } from '#native';

const replyWithinMs = 60_000;
/** saslauthd takes no more, though the two bytes of a field's length could say more. */
const longestField = 1024;

export interface Credentials {
  readonly user: string;
  readonly password: string;
  readonly service: string;
  readonly realm: string;
}

/** `trouble`: what the log says of a server that did not decide. */
export type Check = { readonly kind: 'right' | 'wrong' } | { readonly kind: 'trouble'; readonly trouble: string };

export function checkPassword(path: string, { user, password, service, realm }: Credentials): Promise<Check> {
  const fields = [user, password, service, realm].map((field) => Buffer.from(field));
  if (fields.some(({ length }) => length > longestField)) return Promise.resolve({ kind: 'wrong' });
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    let isConnected = false;
    const socket = connect(path, () => {
      isConnected = true;
      socket.write(Buffer.concat(fields.flatMap((field) => [countOf(field), field])));
    });
    socket.setTimeout(replyWithinMs, () => socket.destroy());
    socket.on('data', (bytes: Buffer) => received.push(bytes));
    socket.on('error', (error) => {
      const trouble = isConnected ? 'size read failed' : `cannot connect to saslauthd server: ${errnoText(error)}`;
      resolve({ kind: 'trouble', trouble });
    });
    // the server closes the connection behind its answer
    socket.on('close', () => resolve(readAnswer(Buffer.concat(received))));
  });
}

function countOf({ length }: Buffer): Buffer {
  const count = Buffer.alloc(2);
  count.writeUInt16BE(length);
  return count;
}

function readAnswer(bytes: Buffer): Check {
  if (bytes.length < 2) return { kind: 'trouble', trouble: 'size read failed' };
  const text = bytes.toString('latin1', 2, 2 + bytes.readUInt16BE());
  return { kind: text.startsWith('OK') ? 'right' : 'wrong' };
}
