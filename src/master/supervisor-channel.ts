/** The mail process's end of the channel to its supervisor. */
import { Socket } from 'node:net';
import { takeDescriptor } from '#native';
import { BoundedLines } from './bounded-lines.ts';
import {
  type FromMail,
  lineFromMail,
  longestMessage,
  mailDescriptors,
  parseToMail,
  type ToMail,
} from './control-messages.ts';

export interface SupervisorChannelEvents {
  /** `stream`: of a deliverer; undefined where it could not be had. */
  readonly onMessage: (message: ToMail, stream: Socket | undefined) => void;
  /** The supervisor is gone. */
  readonly onEnd: () => void;
}

/** Gives what tells the supervisor something. */
export function openSupervisorChannel({ onMessage, onEnd }: SupervisorChannelEvents): (message: FromMail) => void {
  const socket = new Socket({ fd: mailDescriptors.channel, readable: true, writable: true });
  const lines = new BoundedLines(longestMessage);
  socket.on('error', () => socket.destroy());
  socket.once('close', onEnd);
  socket.on('data', (chunk: Buffer) => {
    for (const message of lines.push(chunk).map(parseToMail))
      if (message !== undefined) onMessage(message, message.kind === 'deliverer' ? takeStream() : undefined);
  });
  return (message) => void socket.write(lineFromMail(message));
}

function takeStream(): Socket | undefined {
  const fd = takeDescriptor(mailDescriptors.handed);
  return fd === undefined ? undefined : new Socket({ fd, readable: true, writable: true });
}
