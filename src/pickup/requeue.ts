/** Messages that `postsuper -r` took out of the queue pass cleanup again, as new messages. postsuper(1), pickup(8) */
import { setImmediate } from 'node:timers/promises';
import type { Bouncer } from '#bounce';
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { Recipient, Submission, SubmissionOptions, SubmissionPort } from '#message';
import { errnoText } from '#native';
import { type QueuedMessage, type QueueStore, wasTried } from '#store';
import { refusedMail, returnToSender } from './return-mail.ts';
import { type PickupSettings, readPickupSettings } from './settings.ts';
import { localClient, receivedHeader, type Submitted } from './submit.ts';

export interface RequeuerOptions {
  readonly store: Pick<QueueStore, 'claim' | 'settle' | 'putBack'>;
  readonly submission: SubmissionPort;
  readonly settings: Settings;
  readonly events: EventChannel;
  /** Tells senders of mail that cleanup refuses, and logs it in cleanup's name. */
  readonly bouncer: Bouncer;
  readonly cleanupEvents: EventChannel;
  /** Whom the mail comes from in logs and Received: fields; $mail_owner. */
  readonly uid: number;
  readonly now: () => number;
}

export interface Requeuer {
  /** Works on all that wait. Resolves when none is left, or one could not be taken now; never rejects. */
  run(): Promise<void>;
  /** Claims no more. Resolves when no message is being worked on any more. */
  stop(): Promise<void>;
}

const atOnce = 20;

export function createRequeuer(options: RequeuerOptions): Requeuer {
  const settings = readPickupSettings(options.settings);
  let running: Promise<void> | undefined;
  let isStopped = false;
  const work = async (): Promise<void> => {
    while (!isStopped) {
      const messages = await options.store.claim('maildrop', options.now(), atOnce);
      const results = await Promise.all(messages.map((message) => requeue(message, settings, options)));
      if (messages.length === 0 || results.includes('later')) return;
    }
  };
  return {
    run: async () => {
      // who asks while work goes on may have come too late for it
      await running;
      running ??= work()
        .catch((error: unknown) => options.events.emit({ kind: 'warning', text: `requeue: ${errnoText(error)}` }))
        .finally(() => {
          running = undefined;
        });
      await running;
    },
    stop: async () => {
      isStopped = true;
      await running;
    },
  };
}

/** The old message goes when the new one, or the notice that there is none, is on disk: a crash between leaves both. Never rejects. */
async function requeue(
  message: QueuedMessage,
  settings: PickupSettings,
  options: RequeuerOptions,
): Promise<'done' | 'later'> {
  const { store, events } = options;
  const { queueId } = message;
  try {
    if (await isSettled(message, await submitAgain(message, settings, options), options)) {
      await store.settle({ queueId, outcomes: [], next: { kind: 'gone' } });
      return 'done';
    }
  } catch (error) {
    events.emit({ kind: 'warning', text: `${queueId}: requeue: ${errnoText(error)}` });
  }
  await store.putBack(queueId);
  return 'later';
}

/** Whether it is in the queue, or back with its sender. */
async function isSettled(
  message: QueuedMessage,
  submitted: Submitted,
  { bouncer, cleanupEvents, events, now }: RequeuerOptions,
): Promise<boolean> {
  const { result } = submitted;
  if (result.kind === 'queued') return true;
  if (result.code < 500) return false;
  const refused = refusedMail(submitted, result, () => [...toRequeue(message)].flat(), now());
  const told = await returnToSender({ ...refused, content: () => message.content.chunks() }, bouncer, cleanupEvents);
  if (!told.ok)
    events.emit({ kind: 'warning', text: `${message.queueId}: unable to return the message: ${told.reason}` });
  return told.ok;
}

/** The recipients that are left, a part at a time. Throws StoreError. */
function* toRequeue({ recipients }: QueuedMessage): Iterable<readonly Recipient[]> {
  for (const part of recipients.withPending())
    yield part
      .filter(({ state }) => state === 'pending')
      .map(({ address, original, dsnOriginal, notify }) => ({ address, original, dsnOriginal, notify }));
}

async function submitAgain(
  message: QueuedMessage,
  settings: PickupSettings,
  { submission, events, uid, now }: RequeuerOptions,
): Promise<Submitted> {
  const { again, envelope } = openAgain(message, settings, { submission, uid, at: now() });
  const { sender } = message.envelope;
  const { queueId } = again;
  events.emit({ kind: 'pickedUp', queueId, uid, sender, originalQueueId: message.queueId });
  try {
    for (const part of toRequeue(message)) {
      for (const recipient of part) await again.addRecipient(recipient);
      if (message.recipients.isInParts) await setImmediate();
    }
    for await (const chunk of message.content.chunks()) await again.write(chunk);
  } catch (error) {
    again.abort();
    throw error;
  }
  return { queueId, envelope, result: await again.end() };
}

function openAgain(
  message: QueuedMessage,
  settings: PickupSettings,
  { submission, uid, at }: { readonly submission: SubmissionPort; readonly uid: number; readonly at: number },
): { readonly again: Submission; readonly envelope: SubmissionOptions['envelope'] } {
  const { envelope, queueId } = message;
  const { messageId: _made, expanded: _told, recipientCount: _counted, ...kept } = envelope;
  const options: SubmissionOptions = {
    source: 'pickup',
    overrides: settings.overrides,
    envelope: {
      ...kept,
      client: localClient,
      logClient: localClient,
      uid,
      contentFilter: settings.contentFilter,
      originalQueueId: queueId,
      // `sendmail -v` asks for a report of the first attempt only
      trace: envelope.trace === 'record' && wasTried(message) ? '' : envelope.trace,
    },
    prepend: () => Buffer.from(receivedHeader(again.queueId, uid, at, settings)),
  };
  const again = submission.open(options);
  return { again, envelope: options.envelope };
}
