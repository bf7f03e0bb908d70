/**
 * Members that are not delivered here go out as new messages, one for each sender and Delivered-To:. Cleanup takes the
 * addresses of a long list while it is being read; a message is complete once the whole recipient has been expanded. local(8)
 */
import { toExternal } from '#address';
import {
  bytesOf,
  formatMailDate,
  type DeliveryRequest,
  type MaybePromise,
  type RequestRecipient,
  type Submission,
  type SubmissionPort,
  type SubmissionResult,
} from '#message';
import type { LocalSettings } from './settings.ts';

/** An address to send on as part of a new message. */
export interface Forward {
  readonly address: string;
  /** What it inherits of the recipient that was expanded. */
  readonly recipient: RequestRecipient;
  readonly sender: string;
  readonly deliveredTo: string;
}

export interface ForwardMeans {
  readonly request: DeliveryRequest;
  readonly submission: SubmissionPort;
  readonly settings: Pick<LocalSettings, 'deliveredIn' | 'myhostname' | 'mailName'>;
  readonly now: () => number;
}

/** Addresses that wait here before the new message is begun: most expansions have fewer. */
const mostWaiting = 1000;

interface Group {
  readonly first: Forward;
  waiting: Forward[];
  submission?: Submission;
}

export class Forwards {
  readonly #means: ForwardMeans;
  /** In the order of their first addresses. */
  readonly #groups = new Map<string, Group>();

  constructor(means: ForwardMeans) {
    this.#means = means;
  }

  /** A promise means: wait before adding more. */
  add(forward: Forward): MaybePromise<void> {
    const key = JSON.stringify([forward.sender, forward.deliveredTo]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = { first: forward, waiting: [] };
      this.#groups.set(key, group);
    }
    group.waiting.push(forward);
    return group.waiting.length < mostWaiting ? undefined : this.#hand(group);
  }

  /** Sends the messages, one after the other. */
  async *submit(): AsyncGenerator<SubmissionResult> {
    for (const [key, group] of this.#groups) {
      await this.#hand(group);
      const submission = this.#submissionOf(group);
      for await (const chunk of this.#means.request.content.chunks()) await submission.write(chunk);
      // from here on it can't be taken back
      this.#groups.delete(key);
      yield await submission.end();
    }
  }

  /** What was not submitted is forgotten. */
  abort(): void {
    for (const { submission } of this.#groups.values()) submission?.abort();
    this.#groups.clear();
  }

  /** Cleanup gets what waits. */
  async #hand(group: Group): Promise<void> {
    const submission = this.#submissionOf(group);
    for (const { address, recipient } of group.waiting) {
      const { original, dsnOriginal, notify } = recipient;
      await submission.addRecipient({ address, original, dsnOriginal, notify });
    }
    group.waiting = [];
  }

  #submissionOf(group: Group): Submission {
    group.submission ??= this.#open(group.first);
    return group.submission;
  }

  #open({ sender, deliveredTo }: Forward): Submission {
    const { request, submission, settings, now } = this.#means;
    const { messageId: _made, expanded: _told, recipientCount: _counted, ...envelope } = request.envelope;
    const delivered = settings.deliveredIn.has('forward')
      ? `Delivered-To: ${toExternal(deliveredTo).toLowerCase()}\r\n`
      : '';
    const opened = submission.open({
      envelope: {
        ...envelope,
        sender,
        arrivedAt: now(),
        origin: 'forward',
        // its report says where the mail went
        trace: '',
      },
      source: 'forward',
      overrides: [],
      prepend: () =>
        bytesOf(
          `Received: by ${settings.myhostname} (${settings.mailName})\r\n\tid ${opened.queueId}; ${formatMailDate(now())}\r\n${delivered}`,
        ),
    });
    return opened;
  }
}
