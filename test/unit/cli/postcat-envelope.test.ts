import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { internalEnvelope } from '#message';
import type { QueuedMessage, RecipientPart } from '#store';
import { envelopeRecords, recipientRecords } from '../../../src/cli/postcat/envelope-records.ts';

function message(changes: Partial<QueuedMessage['envelope']>): QueuedMessage {
  const all = (): readonly RecipientPart[] => [];
  const counts = { total: 0, pendingCount: 0, heldCount: 0, isInParts: false };
  return {
    queueId: 'ID',
    queue: 'deferred',
    envelope: { ...internalEnvelope('', 0, 'mail'), messageId: '', ...changes },
    recipients: { ...counts, all, withPending: all, withOutcomes: all },
    content: { sizeBytes: 0, headerBytes: 0, chunks: () => [] },
    sizeBytes: 0,
    dueAt: 0,
    warnedAt: 0,
    forcedExpire: false,
  };
}

/** What is shown of size and times is left out. */
const shownOf = (changes: Partial<QueuedMessage['envelope']>): readonly string[] =>
  envelopeRecords(message(changes))
    .slice(3)
    .map(({ shown }) => shown);

describe('postcat, of an envelope', () => {
  it('shows addresses without quotes, as queue files have them', () => {
    assert.deepEqual(shownOf({ sender: 'a b@x.example', uid: 0 }).at(-1), 'sender: a b@x.example');
    const recipient = { address: 'c d@x.example', original: 'e f@x.example', dsnOriginal: '', notify: [] };
    const shown = recipientRecords([{ ...recipient, index: 0, state: 'pending' }]).map((one) => one.shown);
    assert.deepEqual(shown, ['original_recipient: e f@x.example', 'recipient: c d@x.example']);
  });

  it('says of mail that the system wrote itself that it is of here, and traced or not', () => {
    const own = ['named_attribute: log_message_origin=local', 'named_attribute: trace_flags=0', 'sender: '];
    assert.deepEqual(shownOf({}), own);
    assert.deepEqual(shownOf({ uid: 0, trace: 'record' }), [
      'named_attribute: rewrite_context=local',
      'sender: ',
      'named_attribute: trace_flags=1024',
    ]);
  });
});
