/** A queue manager with a real store, agents that say what they are told to, and a clock that stands still. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadConfiguration } from '#config';
import type { MailEvent } from '#events';
import {
  type DeliveryAgent,
  type DeliveryRequest,
  type DeliveryResult,
  type Envelope,
  internalEnvelope,
  type MaybePromise,
  type MemberOutcome,
  type Outcome,
  type Status,
} from '#message';
import { type Bouncer, createQueueManager, InFlow, type QueueManager } from '#qmgr';
import type { Resolution } from '#rewrite';
import { openStore, type QueueStore } from '#store';

export const plain = { ...internalEnvelope('s@example.com', 0, 'mail'), messageId: '' };
export const startAt = 1_700_000_000_000;

/** What the fake agent says about each recipient, and about the site. */
export type Answer = (request: DeliveryRequest) => MaybePromise<{
  readonly kind: Outcome['kind'];
  /** Where it is not the same for all. */
  readonly kindOf?: (address: string) => Outcome['kind'];
  readonly site?: boolean;
  readonly members?: readonly MemberOutcome[];
}>;

function statusOf(kind: Outcome['kind']): Status {
  return { code: kind === 'deferred' ? '4.4.1' : kind === 'bounced' ? '5.1.1' : '2.0.0', reason: 'said so' };
}

export class Scene {
  readonly directory = mkdtempSync(join(tmpdir(), 'posthorn-qmgr-'));
  readonly events: MailEvent[] = [];
  readonly requests: DeliveryRequest[] = [];
  readonly notices: string[] = [];
  readonly inFlow = new InFlow(2, (ms) => Promise.resolve(void this.pauses.push(ms)));
  readonly pauses: number[] = [];
  running = 0;
  mostRunning = 0;
  recipients = 0;
  mostRecipients = 0;
  clock = startAt;
  /** What becomes of notices. */
  noticeResult: Awaited<ReturnType<Bouncer['notify']>> = { ok: true };
  /** Sends a notice. */
  sendNotice: () => Promise<unknown> = () => Promise.resolve();
  store: QueueStore;
  manager: QueueManager;

  readonly #answer: Answer;
  #queue = '';

  private constructor(store: QueueStore, mainCf: string, answer: Answer) {
    this.store = store;
    writeFileSync(
      join(this.directory, 'main.cf'),
      `compatibility_level = 3.6\nmyhostname = mail.example.com\n${mainCf}`,
    );
    writeFileSync(
      join(this.directory, 'master.cf'),
      ['smtp', 'local', 'filter'].map((name) => `${name} unix - - n - - smtp\n`).join(''),
    );
    this.#answer = answer;
    this.manager = this.#createManager();
  }

  #createManager(): QueueManager {
    const agent: DeliveryAgent = { deliver: (request, report) => this.#deliver(request, report) };
    const emit = (event: MailEvent): void => {
      this.events.push(event);
    };
    const manager = createQueueManager({
      store: this.store,
      agents: new Map([
        ['smtp', agent],
        ['local', agent],
        ['filter', agent],
      ]),
      processLimit: () => 0,
      inFlow: this.inFlow,
      isFlushedSite: (site) => site === 'flushed.example',
      resolve: resolution,
      bouncer: {
        notify: async (kind, { envelope }, recipients, to = envelope.sender) => {
          const addresses = (await Array.fromAsync(recipients))
            .flat()
            .map(({ recipient }) => recipient.address)
            .join(' ');
          this.notices.push(`${kind} ${addresses}${to === envelope.sender ? '' : ` to ${to}`}`);
          await this.sendNotice();
          return this.noticeResult;
        },
      },
      settings: loadConfiguration(this.directory).settings,
      events: { emit },
      errorEvents: { emit },
      now: () => this.clock,
    });
    manager.start();
    return manager;
  }

  /** Messages can't be updated, or deleted, until the function is called that this gives. */
  breakWrites(what: 'UPDATE' | 'DELETE'): () => void {
    const run = (sql: string): void => {
      const database = new DatabaseSync(join(this.#queue, 'posthorn.db'));
      database.exec(sql);
      database.close();
    };
    run(`CREATE TRIGGER broken BEFORE ${what} ON messages BEGIN SELECT RAISE(ABORT, 'broken'); END`);
    return () => run('DROP TRIGGER broken');
  }

  /** The system stops in the middle of things, and starts again. */
  async restart(): Promise<void> {
    await this.manager.stop(0);
    await this.store.close();
    this.store = await openStore({ directory: this.#queue, longQueueIds: false, warn: () => undefined });
    this.manager = this.#createManager();
  }

  static async open(mainCf = '', answer: Answer = () => ({ kind: 'sent' })): Promise<Scene> {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-queue-'));
    const store = await openStore({ directory, longQueueIds: false, warn: () => undefined });
    const scene = new Scene(store, mainCf, answer);
    scene.#queue = directory;
    return scene;
  }

  async #deliver(request: DeliveryRequest, report: (outcome: Outcome) => void): Promise<DeliveryResult> {
    this.requests.push(request);
    this.running += 1;
    this.mostRunning = Math.max(this.running, this.mostRunning);
    this.recipients += request.recipients.length;
    this.mostRecipients = Math.max(this.recipients, this.mostRecipients);
    await new Promise((resolve) => setImmediate(resolve));
    const { kind: kindOfAll, kindOf = () => kindOfAll, site, members } = await this.#answer(request);
    const action = 'delivered';
    for (const { index, address } of request.recipients) {
      const kind = kindOf(address);
      report({ index, kind, status: statusOf(kind), action, ...(members && { members }) });
    }
    this.running -= 1;
    this.recipients -= request.recipients.length;
    return site === true ? { siteFailure: statusOf(kindOfAll) } : {};
  }

  /** Resolves when the condition holds ; every turn of the loop asks. */
  async until(done: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await done())) await new Promise((resolve) => setImmediate(resolve));
  }

  async send(
    addresses: readonly string[],
    envelope: Partial<Envelope> = {},
    queue: 'incoming' | 'hold' = 'incoming',
  ): Promise<string> {
    const writer = this.store.begin(this.clock);
    await writer.write(Buffer.from('Subject: x\r\n\r\n'));
    await writer.commit({
      envelope: { ...plain, arrivedAt: this.clock, ...envelope },
      recipients: addresses.map((address) => ({ address, original: '', dsnOriginal: '', notify: [] })),
      queue,
      headerBytes: 10,
      sizeBytes: 12,
    });
    return writer.queueId;
  }

  async stateOf(queueId: string): Promise<string | undefined> {
    return (await this.store.find(queueId))?.queue;
  }

  texts(): readonly string[] {
    return this.events.flatMap((event) =>
      event.kind === 'delivery' ? `${event.code} ${event.outcome} ${event.text}` : [],
    );
  }

  async close(): Promise<void> {
    await this.manager.stop(1000);
    await this.store.close();
    rmSync(this.directory, { recursive: true });
    rmSync(this.#queue, { recursive: true });
  }
}

function resolution(_sender: string, recipient: string): MaybePromise<Resolution> {
  const domain = recipient.slice(recipient.lastIndexOf('@') + 1);
  if (domain === 'bug.example') throw new Error('a bug');
  if (domain === 'late-bug.example') return Promise.reject(new Error('a late bug'));
  if (domain === 'broken.example') return { kind: 'failed', reason: 'no' };
  if (domain === 'bad.example') return { kind: 'invalid', reason: 'bad address syntax', recipient };
  const isLocal = domain === 'local.example';
  const transport = domain === 'nowhere.example' ? 'absent' : isLocal ? 'local' : 'smtp';
  return {
    kind: 'resolved',
    addressClass: isLocal ? 'local' : 'default',
    transport,
    nexthop: domain,
    recipient,
    routed: false,
  };
}
