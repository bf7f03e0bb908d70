/** Two stores over one queue, as after a reload, and beside them a model that says what must be in it. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { internalEnvelope, type Outcome, type QueueName, type Recipient } from '#message';
import {
  loadWriterThread,
  type MessageSelector,
  openStore,
  type QueuedMessage,
  type QueueStore,
  type RecipientList,
  type WriterThread,
} from '#store';

export type Which = 0 | 1;

export type Step =
  | ({ readonly kind: 'put'; readonly by: Which; readonly size: number; readonly recipients: number } & PutWays)
  | {
      readonly kind: 'claim';
      readonly by: Which;
      readonly from: 'incoming' | 'deferred' | 'maildrop';
      readonly limit: number;
    }
  | { readonly kind: 'claimById'; readonly by: Which; readonly at: readonly number[] }
  | {
      readonly kind: 'tell';
      readonly at: number;
      readonly kinds: readonly Outcome['kind'][];
      readonly ends: boolean;
      readonly wait: number;
    }
  | { readonly kind: 'end'; readonly at: number; readonly how: 'gone' | 'putBack' }
  | { readonly kind: Change; readonly by: Which; readonly at: readonly number[] | QueueName }
  | { readonly kind: 'makeDue'; readonly by: Which; readonly site: string | undefined }
  | { readonly kind: 'leave'; readonly by: Which; readonly how: 'close' | 'die' };

export type Change = 'remove' | 'hold' | 'release' | 'requeue' | 'expire';

interface PutWays {
  readonly isHeld: boolean;
  /** Whoever hears of it takes it. */
  readonly isTaken: boolean;
  /** Recipients come before the commit; others came before them, and were forgotten. */
  readonly isGradual: boolean;
  readonly isAborted: boolean;
}

interface Model {
  readonly id: string;
  queue: QueueName;
  dueAt: number;
  readonly content: Buffer;
  readonly recipients: { outcome: Outcome | undefined; isDone: boolean }[];
  /** Where it goes when its delivery has ended, whatever that comes to. */
  wanted: 'hold' | 'maildrop' | undefined;
  holder: Which;
  dueWhenClaimed: number;
  isExpired: boolean;
  sites: readonly string[];
}

const addressOf = (index: number): string => `r${index}@x.example`;
const site = 'site.example';

/** Where no disk makes it wait, if there is such a place. */
function queueDirectory(): string {
  const memory = '/dev/shm';
  return mkdtempSync(join(existsSync(memory) ? memory : tmpdir(), 'posthorn-model-'));
}

export class ModelledStore {
  readonly #directory = queueDirectory();
  readonly #places: { store: QueueStore; thread: WriterThread; holder: number }[] = [];
  readonly #messages = new Map<string, Model>();
  readonly #told: string[] = [];
  #takes = false;
  #taken: QueuedMessage[] = [];
  #now = 1_000_000;

  static async open(): Promise<ModelledStore> {
    const both = new ModelledStore();
    await both.#open(0);
    await both.#open(1);
    return both;
  }

  async #open(by: Which): Promise<void> {
    const known = existsSync(this.#path) ? this.#holders() : [];
    const thread = await loadWriterThread();
    const store = await openStore({
      directory: this.#directory,
      longQueueIds: false,
      warn: (text) => this.#told.push(text),
      onLost: () => undefined,
      writerThread: thread,
    });
    store.onQueued((message) => {
      this.#taken.push(message);
      return this.#takes;
    });
    this.#places[by] = { store, thread, holder: this.#holders().find((number) => !known.includes(number)) ?? 0 };
  }

  get #path(): string {
    return join(this.#directory, 'posthorn.db');
  }

  #sql(text: string): readonly unknown[] {
    const database = new DatabaseSync(this.#path);
    try {
      database.exec('PRAGMA busy_timeout = 5000');
      return database
        .prepare(text)
        .all()
        .map((row) => Object.values(row)[0]);
    } finally {
      database.close();
    }
  }

  #holders(): readonly number[] {
    return this.#sql('SELECT number FROM holders').map(Number);
  }

  #store(by: Which): QueueStore {
    const place = this.#places[by];
    assert.ok(place !== undefined);
    return place.store;
  }

  #at(place: number, among: readonly Model[] = [...this.#messages.values()]): Model | undefined {
    return among[place % Math.max(1, among.length)];
  }

  #in(queue: QueueName): readonly Model[] {
    return [...this.#messages.values()].filter((model) => model.queue === queue);
  }

  /** Takes the step in the store and in the model, and compares what each gives. */
  async take(step: Step): Promise<void> {
    // whole tens are moments of arrival
    this.#now += 10;
    switch (step.kind) {
      case 'put':
        return this.#put(step);
      case 'claim': {
        const { from, limit, by } = step;
        const due = this.#in(from).filter(({ dueAt }) => from !== 'deferred' || dueAt <= this.#now);
        const expected = due.toSorted((a, b) => a.dueAt - b.dueAt).slice(0, limit);
        const claimed = await this.#store(by).claim(from, this.#now, limit);
        assert.deepEqual(
          claimed.map(({ dueAt }) => dueAt),
          expected.map(({ dueAt }) => dueAt),
        );
        return this.#claimed(claimed, by, due);
      }
      case 'claimById': {
        const asked = new Set(step.at.flatMap((place) => this.#at(place) ?? []));
        const free = [...asked].filter(({ queue }) => queue === 'incoming' || queue === 'deferred');
        const claimed = await this.#store(step.by).claimById([...asked].map(({ id }) => id));
        assert.equal(claimed.length, free.length);
        return this.#claimed(claimed, step.by, free);
      }
      case 'tell':
        return this.#tell(step);
      case 'end': {
        const model = this.#at(step.at, this.#in('active'));
        if (model === undefined) return;
        if (step.how === 'gone') {
          await this.#store(model.holder).settle({ queueId: model.id, outcomes: [], next: { kind: 'gone' } });
          this.#messages.delete(model.id);
        } else if (model.wanted === 'maildrop') {
          await this.#store(model.holder).putBack(model.id);
          model.dueAt = model.dueWhenClaimed;
          leave(model, 'maildrop');
        }
        return;
      }
      case 'makeDue': {
        const waiting = this.#in('deferred').filter(
          ({ sites }) => step.site === undefined || sites.includes(step.site),
        );
        const filter = step.site === undefined ? undefined : { site: step.site };
        assert.equal(await this.#store(step.by).makeDue(this.#now, filter), waiting.length);
        for (const model of waiting) model.dueAt = this.#now;
        return;
      }
      case 'leave':
        return this.#leave(step.by, step.how);
      case 'remove':
      case 'hold':
      case 'release':
      case 'requeue':
      case 'expire':
        return this.#change(step.kind, step.by, step.at);
    }
  }

  async #put(step: Step & { readonly kind: 'put' }): Promise<void> {
    const writer = this.#store(step.by).begin(this.#now);
    const content = Buffer.from(Array.from({ length: step.size }, (_, i) => (i * 31 + (i >> 8) + this.#now) & 0xff));
    for (let at = 0; at < content.length; at += 100_000)
      await writer.write(Buffer.from(content.subarray(at, at + 100_000)));
    const all = Array.from({ length: step.recipients }, (_, index) => recipient(addressOf(index)));
    if (step.isGradual) {
      await writer.addRecipients(Array.from({ length: 600 }, () => recipient('nobody@x.example')));
      writer.forgetRecipients();
      await writer.addRecipients(all.splice(0, all.length / 2));
    }
    if (step.isAborted) return writer.abort();
    const [arrivedAt, queue] = [this.#now, step.isHeld ? ('hold' as const) : ('incoming' as const)];
    this.#takes = step.isTaken;
    this.#taken = [];
    await writer.commit({
      envelope: { ...internalEnvelope('s@example.com', arrivedAt, 'mail'), messageId: writer.queueId },
      recipients: all,
      queue,
      headerBytes: 0,
      sizeBytes: content.length,
    });
    assert.ok(!this.#messages.has(writer.queueId));
    const model: Model = {
      id: writer.queueId,
      queue: queue === 'incoming' && step.isTaken ? 'active' : queue,
      dueAt: arrivedAt,
      content,
      recipients: Array.from({ length: step.recipients }, () => ({ outcome: undefined, isDone: false })),
      wanted: undefined,
      holder: step.by,
      dueWhenClaimed: arrivedAt,
      isExpired: false,
      sites: [],
    };
    this.#messages.set(model.id, model);
    assert.equal(this.#taken.length, step.isHeld ? 0 : 1);
    for (const message of this.#taken) await compare(message, { ...model, queue: 'active' });
  }

  async #claimed(messages: readonly QueuedMessage[], by: Which, free: readonly Model[]): Promise<void> {
    for (const message of messages) {
      const model = free.find(({ id }) => id === message.queueId);
      assert.ok(model !== undefined);
      if (model.queue === 'maildrop') model.wanted = 'maildrop';
      Object.assign(model, { queue: 'active', holder: by, dueWhenClaimed: model.dueAt });
      await compare(message, model);
    }
  }

  async #tell({ at, kinds, ends, wait }: Step & { readonly kind: 'tell' }): Promise<void> {
    const model = this.#at(at, this.#in('active'));
    if (model === undefined) return;
    const outcomes: Outcome[] = [];
    for (const [index, state] of model.recipients.entries()) {
      const kind = kinds[(index + at) % kinds.length];
      // about some nothing is known yet
      if (state.isDone || kind === undefined || (index + at) % 3 === 0) continue;
      const outcome: Outcome = { index, kind, status: { code: '4.0.0', reason: `é ${this.#now}` } };
      outcomes.push(outcome);
      Object.assign(state, { outcome, isDone: kind !== 'deferred' });
    }
    // never the moment of its arrival
    const dueAt = this.#now + wait + 1;
    const sites = wait % 20 === 0 ? [site] : [];
    const next = ends ? { next: { kind: 'deferred' as const, dueAt }, sites } : {};
    await this.#store(model.holder).settle({ queueId: model.id, outcomes, ...next });
    if (!ends) return;
    Object.assign(model, { dueAt, sites });
    leave(model, 'deferred');
  }

  async #change(kind: Change, by: Which, at: readonly number[] | QueueName): Promise<void> {
    const asked = typeof at === 'string' ? undefined : at.flatMap((place) => this.#at(place)?.id ?? []);
    const selector: MessageSelector = typeof at === 'string' ? { queues: [at] } : { queueIds: asked ?? [] };
    const found = [...this.#messages.values()].filter((model) =>
      asked === undefined ? queueAsked(model) === at : asked.includes(model.id),
    );
    const changed = await this.#store(by)[kind](selector);
    const expected = found.filter((model) =>
      kind === 'remove' ? this.#messages.delete(model.id) : applied(kind, model),
    );
    assert.deepEqual(changed.toSorted(), expected.map(({ id }) => id).toSorted());
  }

  async #leave(by: Which, how: 'close' | 'die'): Promise<void> {
    const place = this.#places[by];
    assert.ok(place !== undefined);
    if (how === 'close') await place.store.close();
    else {
      await place.thread.terminate();
      this.#sql(`DELETE FROM holders WHERE number = ${place.holder}`);
    }
    for (const model of this.#in('active')) if (model.holder === by) leave(model, 'incoming');
    await this.#open(by);
  }

  /** What one of the stores finds is what the model holds, and nothing is left of what is gone. */
  async compare(by: Which): Promise<void> {
    const listed = await Array.fromAsync(this.#store(by).list());
    assert.deepEqual(listed.map(({ queueId }) => queueId).toSorted(), [...this.#messages.keys()].toSorted());
    for (const message of listed) {
      const model = this.#messages.get(message.queueId);
      assert.ok(model !== undefined);
      assert.equal(message.queue, queueAsked(model));
      const found = await this.#store(by).find(message.queueId);
      assert.ok(found !== undefined);
      await compare(found, model);
    }
    const messages = '(SELECT serial FROM messages)';
    const left = `SELECT key FROM contents WHERE key / 1048576 NOT IN ${messages}
      UNION SELECT key FROM progress WHERE key / 1048576 NOT IN ${messages}
      UNION SELECT serial FROM sites WHERE serial NOT IN ${messages} UNION SELECT serial FROM arriving`;
    assert.deepEqual(this.#sql(left), []);
    assert.deepEqual(this.#told, []);
  }

  async close(): Promise<void> {
    for (const { store } of this.#places) await store.close();
    rmSync(this.#directory, { recursive: true });
  }
}

function recipient(address: string): Recipient {
  return { address, original: '', dsnOriginal: '', notify: [] };
}

function leave(model: Model, queue: QueueName): void {
  model.queue = model.wanted ?? queue;
  model.wanted = undefined;
}

function queueAsked({ queue, wanted }: Model): QueueName {
  return queue === 'active' ? (wanted ?? queue) : queue;
}

/** Whether the change was made: at once, or for after the delivery. */
function applied(kind: Exclude<Change, 'remove'>, model: Model): boolean {
  const queue = queueAsked(model);
  const move = (to: 'hold' | 'maildrop'): boolean => {
    if (model.queue === 'active') model.wanted = to;
    else model.queue = to;
    return true;
  };
  switch (kind) {
    case 'hold':
      return queue !== 'hold' && queue !== 'maildrop' && move('hold');
    case 'requeue':
      return model.queue !== 'maildrop' && move('maildrop');
    case 'release':
      if (queue !== 'hold') return false;
      if (model.queue === 'hold') model.queue = 'deferred';
      model.wanted = undefined;
      return true;
    case 'expire': {
      const { isExpired } = model;
      model.isExpired = true;
      return !isExpired;
    }
  }
}

async function compare(message: QueuedMessage, model: Model): Promise<void> {
  const { queueId, queue, dueAt, forcedExpire, envelope, content } = message;
  assert.deepEqual(
    { queueId, queue, dueAt, forcedExpire, id: envelope.messageId },
    { queueId: model.id, queue: model.queue, dueAt: model.dueAt, forcedExpire: model.isExpired, id: model.id },
  );
  compareRecipients(message.recipients, model);
  assert.ok(Buffer.concat(await Array.fromAsync(content.chunks())).equals(model.content));
}

function compareRecipients(list: RecipientList, { recipients }: Model): void {
  const pending = recipients.flatMap(({ isDone }, index) => (isDone ? [] : [index]));
  assert.deepEqual([list.total, list.pendingCount], [recipients.length, pending.length]);
  const all = [...list.all()].flat();
  assert.deepEqual(
    all.map(({ index, address, state, lastOutcome }) => ({ index, address, state, lastOutcome })),
    recipients.map(({ outcome, isDone }, index) => ({
      index,
      address: addressOf(index),
      state: isDone ? 'done' : 'pending',
      lastOutcome: outcome,
    })),
  );
  assert.deepEqual(
    [...list.withPending()].flatMap((part) => part.flatMap(({ index, state }) => (state === 'pending' ? [index] : []))),
    pending,
  );
}
