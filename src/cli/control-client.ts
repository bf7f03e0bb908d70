/** Asks a running system over its control socket; see roles/control-server. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { errnoOf, errnoText } from '#native';
import type { QueueManagerStatus } from '#qmgr';
import type { ListedMessage, StoredRecipient } from '#store';
import { reserved } from './queue-owner.ts';

/** A message as it is listed, with all its recipients. */
export interface QueueEntry extends Omit<ListedMessage, 'recipients'> {
  readonly recipients: readonly StoredRecipient[];
}

export type Refusal =
  /** Nothing listens; `reason` as strerror(3) says it. */
  { readonly kind: 'down'; readonly reason: string } | { readonly kind: 'failed'; readonly reason: string };

export type ControlAnswer =
  | {
      readonly kind: 'ok';
      readonly changed: readonly string[];
      /** Of the operation `status`. */
      readonly status?: QueueManagerStatus;
    }
  | Refusal;

/** Messages as they come. Reading throws when the answer breaks off. */
export type QueueAnswer = { readonly kind: 'ok'; readonly messages: AsyncIterable<QueueEntry> } | Refusal;

interface Line {
  readonly message?: Omit<QueueEntry, 'recipients'>;
  /** Some recipients of the message before. */
  readonly recipients?: readonly StoredRecipient[];
  readonly changed?: readonly string[];
  readonly status?: QueueManagerStatus;
  readonly ok?: boolean;
  readonly reason?: string;
}

type Place = 'public' | 'private';

/** One request with a short answer. `place`: `private` for what only root may do. */
export async function askSystem(
  queueDirectory: string,
  place: Place,
  request: Readonly<Record<string, unknown>>,
): Promise<ControlAnswer> {
  const socket = await open(queueDirectory, place, request);
  if ('kind' in socket) return socket;
  let found: Pick<Line, 'status' | 'changed'> = {};
  try {
    for await (const line of answerOf(socket)) {
      if (line.ok === false) return refused(line);
      found = line;
    }
  } catch (error) {
    return brokenOff(error);
  }
  const { changed = [], status } = found;
  return { kind: 'ok', changed, ...(status && { status }) };
}

/** The messages of the queue. */
export async function listQueue(queueDirectory: string): Promise<QueueAnswer> {
  const socket = await open(queueDirectory, 'public', { operation: 'list' });
  if ('kind' in socket) return socket;
  const lines = answerOf(socket);
  // a refusal comes before everything else
  let first: Awaited<ReturnType<typeof lines.next>>;
  try {
    first = await lines.next();
  } catch (error) {
    return brokenOff(error);
  }
  if (first.done !== true && first.value.ok === false) return refused(first.value);
  return { kind: 'ok', messages: entriesOf(first, lines) };
}

function refused({ reason }: Line): Refusal {
  return { kind: 'failed', reason: reason ?? '' };
}

/** The system ends, or has too many askers; or `error` is a bug. */
function brokenOff(error: unknown): Refusal {
  if (error instanceof BrokenOffError) return { kind: 'failed', reason: error.message };
  throw error;
}

async function open(
  queueDirectory: string,
  place: Place,
  request: Readonly<Record<string, unknown>>,
): Promise<Socket | Refusal> {
  const socket = connect(`${queueDirectory}/${place}/control`);
  try {
    await once(socket, 'connect');
  } catch (error) {
    return connectFailure(error, place);
  }
  socket.setEncoding('utf8');
  socket.write(`${JSON.stringify(request)}\n`);
  return socket;
}

function connectFailure(error: unknown, place: Place): Refusal {
  const code = errnoOf(error);
  if (['ENOENT', 'ECONNREFUSED'].includes(code)) return { kind: 'down', reason: errnoText(error) };
  const isForbidden = code === 'EACCES' && place === 'private';
  return { kind: 'failed', reason: isForbidden ? reserved : errnoText(error) };
}

class BrokenOffError extends Error {
  constructor(cause?: unknown) {
    super('the mail system went away before its answer was complete', { cause });
  }
}

/** The lines of an answer up to the one that ends it, that one only when it says no. */
async function* answerOf(socket: Socket): AsyncGenerator<Line, void> {
  let rest = '';
  for await (const chunk of chunksOf(socket)) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) {
      const line: Line = JSON.parse(text);
      if (line.ok === true) return;
      yield line;
      if (line.ok === false) return;
    }
  }
  throw new BrokenOffError();
}

async function* chunksOf(socket: Socket): AsyncGenerator<string, void> {
  try {
    for await (const chunk of socket) yield String(chunk);
  } catch (error) {
    throw new BrokenOffError(error);
  }
}

async function* entriesOf(
  first: IteratorResult<Line, void>,
  others: AsyncGenerator<Line, void>,
): AsyncGenerator<QueueEntry, void> {
  let entry: (QueueEntry & { readonly recipients: StoredRecipient[] }) | undefined;
  for (let next = first; next.done !== true; next = await others.next()) {
    const { message, recipients = [], ok, reason } = next.value;
    if (ok === false) throw new Error(reason);
    if (message !== undefined) {
      if (entry !== undefined) yield entry;
      entry = { ...message, recipients: [] };
    }
    for (const recipient of recipients) entry?.recipients.push(recipient);
  }
  if (entry !== undefined) yield entry;
}
