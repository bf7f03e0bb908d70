import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSettings, parseMainFile } from '#config';
import type { Outcome } from '#message';
import type { QueuedMessage, RecipientPart } from '#store';
import { ActiveMessage } from '../../../src/qmgr/active.ts';
import { OutcomeWriter } from '../../../src/qmgr/outcome-writer.ts';
import type { Bouncer } from '../../../src/qmgr/reports.ts';
import { compileSettings } from '../../../src/qmgr/settings.ts';
import { settleOrPutBack } from '../../../src/qmgr/settle.ts';
import { plain, startAt } from '../../support/queue-scene.ts';

describe('the end of a message of many recipients', () => {
  /** The most parts of the recipients that were read in one go while it is written down, and how many in all. */
  async function readsInATurn(
    kind: Outcome['kind'],
    envelope: Partial<QueuedMessage['envelope']>,
  ): Promise<{ readonly most: number; readonly reads: number }> {
    const lastOutcome: Outcome = { index: 0, kind, status: { code: '4.4.1', reason: 'x' } };
    let reads = 0;
    let inThisTurn = 0;
    let most = 0;
    function* parts(): Iterable<RecipientPart> {
      for (let index = 0; index < 10; index += 1) {
        reads += 1;
        inThisTurn += 1;
        most = Math.max(most, inThisTurn);
        const address = `a@d${index}.example`;
        const state = kind === 'deferred' ? 'pending' : 'done';
        const outcome = { ...lastOutcome, index };
        yield [{ address, original: '', dsnOriginal: '', notify: [], index, state, lastOutcome: outcome }];
      }
    }
    const recipients = { total: 10, pendingCount: 10, heldCount: 1, isInParts: true };
    const queued: QueuedMessage = {
      queueId: 'ID',
      queue: 'active',
      envelope: { ...plain, arrivedAt: startAt, ...envelope },
      recipients: { ...recipients, all: parts, withPending: parts, withOutcomes: parts },
      content: { sizeBytes: 0, headerBytes: 0, chunks: () => [] },
      sizeBytes: 0,
      dueAt: startAt,
      warnedAt: 0,
      forcedExpire: false,
    };
    const message = new ActiveMessage(queued, { activeAt: startAt, steadyAt: startAt }, 1);
    for (let index = 0; index < 10; index += 1) message.attempt.record({ ...lastOutcome, index }, []);
    const { settings } = openSettings('/nowhere', { main: parseMainFile('main.cf', 'delay_warning_time = 1h\n') });
    const events = { emit: () => undefined };
    const store = { settle: () => Promise.resolve() };
    const bouncer: Bouncer = {
      notify: async (_kind, _message, told) => {
        await Array.fromAsync(told);
        return { ok: false, reason: 'full' };
      },
    };
    let isOver = false;
    const beginTurn = (): void => {
      inThisTurn = 0;
      if (!isOver) setImmediate(beginTurn);
    };
    setImmediate(beginTurn);
    await settleOrPutBack(message, {
      store,
      bouncer,
      writer: new OutcomeWriter(store, events),
      isFlushedSite: () => true,
      settings: compileSettings(settings, () => undefined),
      events,
      now: () => startAt + 7_200_000,
    });
    isOver = true;
    return { most, reads };
  }

  for (const [what, kind, envelope] of [
    ['waits', 'deferred', {}],
    ['waits, and is reported', 'deferred', { trace: 'record' }],
    ['has failed', 'bounced', {}],
    ['was delivered', 'sent', {}],
    ['was a question', 'deferred', { trace: 'verify' }],
  ] as const) {
    it(`is written down with a turn for others between two parts of what ${what}`, async () => {
      const { most, reads } = await readsInATurn(kind, envelope);
      assert.ok(reads >= 20, `${reads}`);
      // whether there is anything to tell of is asked before the notice is made
      assert.ok(most <= 3, `${most} parts in a turn`);
    });
  }
});
