import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Bouncer, NotifyResult } from '#bounce';
import { openSettings } from '#config';
import { type MailEvent, renderPostfixText } from '#events';
import { internalEnvelope, type SubmissionPort, type SubmissionResult } from '#message';
import { createRequeuer } from '#pickup';
import { openStore, type QueueStore, type Settlement } from '#store';

const rejected: SubmissionResult = {
  kind: 'refused',
  code: 550,
  dsn: '5.7.1',
  text: 'no such thing',
  isRuleText: true,
};

const queued: SubmissionResult = { kind: 'queued', queueId: 'ABC123' };

/** Cleanup that takes everything, and ends so. */
function submissionThat(end: () => Promise<SubmissionResult>): SubmissionPort {
  const nothing = (): undefined => undefined;
  return {
    open: () => ({
      queueId: 'ABC123',
      addRecipient: nothing,
      apply: nothing,
      write: nothing,
      end,
      abort: nothing,
    }),
  };
}

describe('mail that postsuper -r sends through cleanup again', () => {
  let directory = '';
  let store: QueueStore;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-requeue-'));
    writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\n');
    store = await openStore({ directory, longQueueIds: false, warn: () => undefined });
  });
  afterEach(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });

  async function put() {
    const writer = store.begin(1_000_000);
    await writer.write(Buffer.from('Subject: s\r\n\r\nbody\r\n'));
    await writer.commit({
      envelope: { ...internalEnvelope('s@example.com', 1_000_000, 'mail'), messageId: '', trace: 'record' },
      recipients: ['a', 'b'].map((name) => ({ address: `${name}@x`, original: '', dsnOriginal: '', notify: [] })),
      queue: 'incoming',
      headerBytes: 12,
      sizeBytes: 20,
    });
    return writer;
  }

  async function queueOfRequeued(
    result: SubmissionResult,
    told: NotifyResult,
    before?: Pick<Settlement, 'outcomes' | 'next'>,
  ) {
    const writer = await put();
    if (before !== undefined) {
      await store.claim('incoming', 2_000_000, 1);
      await store.settle({ queueId: writer.queueId, ...before });
      await store.releaseLeases('mine');
    }
    await store.requeue({});
    let trace = '';
    const notices: string[] = [];
    const log: string[] = [];
    const events = { emit: (event: MailEvent) => void log.push(renderPostfixText(event)) };
    const submission: SubmissionPort = {
      open: ({ envelope }) => {
        trace = envelope.trace;
        return {
          queueId: 'ABC123',
          addRecipient: () => undefined,
          apply: () => undefined,
          write: () => undefined,
          end: () => Promise.resolve(result),
          abort: () => undefined,
        };
      },
    };
    const bouncer: Bouncer = {
      notify: async (kind, { queueId, envelope }, parts) => {
        const named = (await Array.fromAsync(parts)).flat().map(({ recipient }) => recipient.address);
        notices.push(`${kind} of ${queueId} to ${envelope.sender} about ${named.join(' ')}`);
        return told;
      },
    };
    const { settings } = openSettings(directory);
    const parts = { store, submission, settings, events, bouncer, cleanupEvents: events };
    await createRequeuer({ ...parts, uid: 1, now: () => 2_000_000 }).run();
    return { notices, log, trace, queue: (await store.find(writer.queueId))?.queue };
  }

  it('goes back to its sender when cleanup refuses it now', async () => {
    const { notices, log, queue } = await queueOfRequeued(rejected, { ok: true });
    assert.deepEqual(notices, ['failure of ABC123 to s@example.com about a@x b@x']);
    assert.match(log.join('\n'), /^ABC123: to=<a@x>, .*dsn=5\.7\.1, status=bounced \(no such thing\)$/m);
    assert.equal(queue, undefined);
  });

  it('stays when the sender could not be told', async () => {
    const { log, queue } = await queueOfRequeued(rejected, { ok: false, reason: 'queue file write error' });
    assert.match(log.join('\n'), /unable to return the message: queue file write error$/m);
    assert.equal(queue, 'maildrop');
  });

  it('stays when cleanup can take it later', async () => {
    const { notices, queue } = await queueOfRequeued({ ...rejected, code: 451 }, { ok: true });
    assert.deepEqual(notices, []);
    assert.equal(queue, 'maildrop');
  });

  it('stays when the store fails once the new one is queued', async () => {
    await put();
    await store.requeue({});
    const [message] = await store.claim('maildrop', 2_000_000, 1);
    assert.ok(message !== undefined);
    const warnings: string[] = [];
    const events = { emit: (event: MailEvent) => void warnings.push(renderPostfixText(event)) };
    const claims = [[message], []];
    const failing: Pick<QueueStore, 'claim' | 'settle' | 'putBack'> = {
      claim: () => Promise.resolve(claims.shift() ?? []),
      settle: () => Promise.reject(new Error('disk I/O error')),
      putBack: (queueId) => store.putBack(queueId),
    };
    const submission = submissionThat(() => Promise.resolve(queued));
    const bouncer: Bouncer = { notify: () => Promise.resolve({ ok: true }) };
    const { settings } = openSettings(directory);
    const parts = { store: failing, submission, settings, events, bouncer, cleanupEvents: events, uid: 1 };
    await createRequeuer({ ...parts, now: () => 2_000_000 }).run();
    assert.match(warnings.join('\n'), /: requeue: disk I\/O error$/);
    assert.equal((await store.find(message.queueId))?.queue, 'maildrop');
  });

  it('is claimed no more once it stops, which waits for what is under way', async () => {
    for (let i = 0; i < 25; i += 1) await put();
    await store.requeue({});
    const begun = Promise.withResolvers<undefined>();
    const ends = Promise.withResolvers<undefined>();
    let submitted = 0;
    const submission = submissionThat(async () => {
      begun.resolve(undefined);
      await ends.promise;
      submitted += 1;
      return queued;
    });
    const events = { emit: () => undefined };
    const bouncer: Bouncer = { notify: () => Promise.resolve({ ok: true }) };
    const { settings } = openSettings(directory);
    const parts = { store, submission, settings, events, bouncer, cleanupEvents: events, uid: 1 };
    const requeuer = createRequeuer({ ...parts, now: () => 2_000_000 });
    const running = requeuer.run();
    await begun.promise;
    const stopped = requeuer.stop().then(() => submitted);
    ends.resolve(undefined);
    assert.equal(await stopped, 20);
    await running;
    await requeuer.run();
    assert.equal((await Array.fromAsync(store.list({ queues: ['maildrop'] }))).length, 5);
  });

  it('is reported of to who asked for that with sendmail -v, unless it has been tried before', async () => {
    const taken: SubmissionResult = { kind: 'queued', queueId: 'ABC123' };
    const traceAfter = async (before?: Pick<Settlement, 'outcomes' | 'next'>): Promise<string> =>
      (await queueOfRequeued(taken, { ok: true }, before)).trace;
    const outcomes = [{ index: 1, kind: 'deferred', status: { code: '4.4.1', reason: 'later' } } as const];
    const next = { kind: 'deferred', dueAt: 3_000_000 } as const;
    assert.equal(await traceAfter(), 'record');
    assert.equal(await traceAfter({ outcomes, next }), '');
    // put back for want of room, and cut short by a crash
    assert.equal(await traceAfter({ outcomes: [], next }), 'record');
    assert.equal(await traceAfter({ outcomes }), 'record');
  });
});
