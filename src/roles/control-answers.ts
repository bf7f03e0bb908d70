/** What a command gets from the running system that it asks, and who may ask. postqueue(1), postsuper(1), postlog(1) */
import { setImmediate } from 'node:timers/promises';
import type { MaybePromise } from '#message';
import type { Requeuer } from '#pickup';
import type { QueueManager } from '#qmgr';
import { listedPart, type MessageSelector, type QueueStore, StoreError } from '#store';
import type { ControlRequest, LogLine } from './control-request.ts';

type Right = 'view' | 'flush';

/** What requests are answered with. */
export interface ControlTools {
  readonly store: QueueStore;
  readonly qmgr: QueueManager;
  readonly requeuer: Requeuer;
  /** False: fast_flush_domains does not hold the site. */
  readonly flushSite: (site: string) => Promise<boolean>;
  /** `name(uid)` of a user who may not. authorized_mailq_users, authorized_flush_users */
  readonly refusedUser: (right: Right, uid: number) => Promise<string | undefined>;
  /** postlog(1) of a user who may not write the log. */
  readonly writeLog: (line: LogLine) => void;
}

const rights: Readonly<Record<string, Right>> = {
  list: 'view',
  status: 'view',
  flush: 'flush',
  flushId: 'flush',
  flushSite: 'flush',
};

/** One line of the answer, when there is room for it. */
export type Write = (value: unknown) => MaybePromise<void>;

/** A line a message with a part of its recipients, followed by lines with the others. */
async function list(
  { store, qmgr }: Pick<ControlTools, 'store' | 'qmgr'>,
  selector: MessageSelector,
  write: Write,
): Promise<void> {
  for await (const { recipients, queueId, queue, envelope, sizeBytes, dueAt, forcedExpire } of store.list(selector)) {
    let message: object | undefined = { queueId, queue, envelope, sizeBytes, dueAt, forcedExpire };
    try {
      for (const part of recipients.all()) {
        await write({ message, recipients: listedPart(part, recipients.isInParts, qmgr.outcomesOf(queueId)) });
        message = undefined;
        if (recipients.isInParts) await setImmediate();
      }
    } catch (error) {
      // damaged: the message is set aside, with a log line, when it is claimed
      if (!(error instanceof StoreError)) throw error;
    }
  }
}

/** Answers one request; throws for what is not allowed or not known. */
export async function answer(
  request: ControlRequest,
  { store, qmgr, requeuer, flushSite, writeLog }: ControlTools,
  isPrivileged: boolean,
  write: Write,
): Promise<void> {
  const selector: MessageSelector = {
    ...(request.queueIds === undefined ? {} : { queueIds: request.queueIds }),
    ...(request.queues === undefined ? {} : { queues: request.queues }),
  };
  switch (request.operation) {
    case 'list':
      return list({ store, qmgr }, selector, write);
    case 'status':
      return write({ status: qmgr.status() });
    case 'flush':
      return qmgr.flush();
    case 'flushId':
      return qmgr.flushById(request.queueIds ?? []);
    case 'flushSite':
      if (!(await flushSite(request.site)))
        throw new Error(`Flush service is not configured for destination "${request.site}"`);
      return;
    case 'remove':
    case 'hold':
    case 'release':
    case 'requeue':
    case 'expire': {
      if (!isPrivileged) throw new Error('only root may change the queue');
      const changed = await store[request.operation](selector);
      const isLeaving = request.operation !== 'release' && request.operation !== 'expire';
      const withdrawn = qmgr.withdraw(isLeaving ? changed : [], request.operation === 'remove' ? 'deleted' : 'wanted');
      await write({ changed });
      // of many messages that takes a while: who asked doesn't wait for it
      if (request.operation === 'requeue') void withdrawn.then(() => requeuer.run());
      // what is released waits for the next scan, as in Postfix
      else if (request.operation === 'remove' || request.operation === 'expire') qmgr.scanNow();
      return;
    }
    case 'log':
      if (request.line === undefined) throw new Error('no line for the log');
      return writeLog(request.line);
    default:
      throw new Error(`unknown operation: ${request.operation}`);
  }
}

/** Throws for a user who may not ask for that. */
export async function checkRight(
  operation: string,
  user: number | undefined,
  { refusedUser }: ControlTools,
): Promise<void> {
  const right = rights[operation];
  if (right === undefined) return;
  const who = user === undefined ? 'unknown' : await refusedUser(right, user);
  if (who !== undefined) throw new Error(`User ${who} is not allowed to ${right} the mail queue`);
}
