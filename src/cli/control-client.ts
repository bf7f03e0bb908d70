/** Asks a running system over its control socket; see roles/control-server. */
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { QueueManagerStatus } from '#qmgr';
import type { ListedMessage, StoredRecipient } from '#store';

/** A message as it is listed, with all its recipients. */
export interface QueueEntry extends Omit<ListedMessage, 'recipients'> {
  readonly recipients: readonly StoredRecipient[];
}

export type ControlAnswer =
  | {
      readonly kind: 'ok';
      readonly messages: readonly QueueEntry[];
      readonly changed: readonly string[];
      /** Of the operation `status`. */
      readonly status?: QueueManagerStatus;
    }
  /** Nothing listens; `reason` as strerror(3) says it. */
  | { readonly kind: 'down'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

interface Line {
  readonly message?: Omit<QueueEntry, 'recipients'>;
  /** Some recipients of the message before. */
  readonly recipients?: readonly StoredRecipient[];
  readonly changed?: readonly string[];
  readonly status?: QueueManagerStatus;
  readonly ok?: boolean;
  readonly reason?: string;
}

/** One request; `down` when nothing listens. `place`: `private` for what only root may do. */
export function askSystem(
  queueDirectory: string,
  place: 'public' | 'private',
  request: Readonly<Record<string, unknown>>,
): Promise<ControlAnswer> {
  return new Promise((resolve) => {
    const socket = connect(`${queueDirectory}/${place}/control`);
    const messages: (QueueEntry & { readonly recipients: StoredRecipient[] })[] = [];
    let changed: readonly string[] = [];
    let status: QueueManagerStatus | undefined;
    socket.once('error', (error) => {
      const code = 'code' in error ? error.code : '';
      if (code === 'ENOENT') return resolve({ kind: 'down', reason: 'No such file or directory' });
      if (code === 'ECONNREFUSED') return resolve({ kind: 'down', reason: 'Connection refused' });
      const isForbidden = code === 'EACCES' && place === 'private';
      resolve({
        kind: 'failed',
        reason: isForbidden ? 'use of this command is reserved for the superuser' : error.message,
      });
    });
    socket.once('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    const lines = createInterface({ input: socket });
    // readline passes the socket's errors on; they are answered above
    lines.on('error', () => undefined);
    lines.on('line', (text) => {
      const line: Line = JSON.parse(text);
      if (line.message !== undefined) messages.push({ ...line.message, recipients: [] });
      for (const recipient of line.recipients ?? []) messages.at(-1)?.recipients.push(recipient);
      if (line.changed !== undefined) changed = line.changed;
      if (line.status !== undefined) status = line.status;
      if (line.ok === true) resolve({ kind: 'ok', messages, changed, ...(status === undefined ? {} : { status }) });
      if (line.ok === false) resolve({ kind: 'failed', reason: line.reason ?? '' });
    });
  });
}
