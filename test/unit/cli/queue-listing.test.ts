import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { openSettings } from '#config';
import { internalEnvelope, type Outcome } from '#message';
import { listedPart, type StoredRecipient } from '#store';
import { readQueue } from '../../../src/cli/queue-listing.ts';
import { jsonLine, listedMessage, table } from '../../../src/cli/postqueue/listing.ts';

const recipient = (index: number, more: Partial<StoredRecipient> = {}): StoredRecipient => ({
  index,
  address: `r${index}@x`,
  original: '',
  dsnOriginal: '',
  notify: [],
  state: 'pending',
  ...more,
});
const outcome = (index: number, kind: Outcome['kind'], reason: string): Outcome => ({
  index,
  kind,
  status: { code: kind === 'deferred' ? '4.0.0' : '5.0.0', reason },
});
const listed = (recipients: readonly StoredRecipient[]) =>
  listedMessage({
    queueId: 'A1',
    queue: 'active',
    envelope: { ...internalEnvelope('s@x', 1_700_000_000_000, 'mail'), messageId: '' },
    sizeBytes: 10,
    dueAt: 0,
    warnedAt: 0,
    forcedExpire: false,
    recipients,
  });

describe('the listing of a message that is being delivered', () => {
  const known = new Map([
    [0, outcome(0, 'bounced', 'no such user')],
    [1, outcome(1, 'sent', 'delivered')],
    [3, outcome(3, 'deferred', 'try later')],
  ]);
  const recipients = listedPart(
    [0, 1, 2, 3].map((index) => recipient(index)),
    false,
    known,
  );

  it('tells who waits, and of whose failure a notice will tell', () => {
    assert.match(
      jsonLine(listed(recipients)),
      /"recipients": \[\{"address": "r3@x", "delay_reason": "try later"\}, \{"address": "r0@x", "bounce_reason": "no such user"\}, \{"address": "r2@x"\}\]\}\n$/,
    );
  });

  it('says where a reason is not known while others are', async () => {
    const entries = [listed(recipients)];
    const pieces = await Array.fromAsync(
      table(
        (async function* () {
          yield* entries;
        })(),
        false,
      ),
    );
    const lines = pieces
      .join('')
      .split('\n')
      .map((line) => line.trim());
    assert.deepEqual(lines.slice(2, 8), [
      '(try later)',
      'r3@x',
      '(no such user)',
      'r0@x',
      '(reason unavailable)',
      'r2@x',
    ]);
  });

  it('tells of recipients in the order in which their reasons came', () => {
    const waiting = [2, 0, 1].map((outcomeRank, index) =>
      recipient(index, { lastOutcome: outcome(index, 'deferred', `reason ${outcomeRank}`), outcomeRank }),
    );
    const told = (known?: ReadonlyMap<number, Outcome>): readonly string[] =>
      listedPart([...waiting, recipient(3)], false, known).map(({ address }) => address);
    assert.deepEqual(told(), ['r1@x', 'r2@x', 'r0@x', 'r3@x']);
    const again = new Map([2, 1].map((index) => [index, outcome(index, 'deferred', 'again')] as const));
    assert.deepEqual(told(again), ['r0@x', 'r2@x', 'r1@x', 'r3@x']);
  });

  it('is JSON whatever a message is called', () => {
    const line = jsonLine({ ...listed([]), queueId: 'A"B\x1b[31m' });
    assert.match(line, /"queue_id": "A\\"B\\u001b\[31m"/);
  });

  it('forgets failures that a notice has told of', () => {
    const done = recipient(0, { state: 'done', lastOutcome: outcome(0, 'bounced', 'told') });
    assert.match(
      jsonLine(listed(listedPart([done, recipient(1)], false, undefined))),
      /"recipients": \[\{"address": "r1@x"\}\]/,
    );
    // of many recipients the store itself forgets them
    assert.match(jsonLine(listed(listedPart([done], true, undefined))), /"bounce_reason": "told"/);
  });
});

describe('the queue of a system that is down', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-queue-'));
  after(() => rmSync(directory, { recursive: true }));
  writeFileSync(`${directory}/main.cf`, `myhostname = mail.example.com\nqueue_directory = ${directory}\n`);

  it('is shown to root and its owner, and to nobody else who may write there', async () => {
    chmodSync(directory, 0o777);
    const { settings } = openSettings(directory);
    const kindFor = async (uid: number): Promise<string> => {
      const io = { stdout: () => undefined, stderr: () => undefined, stdin: Readable.from([]), env: {}, uid };
      return (await readQueue(settings, io, () => undefined)).kind;
    };
    const owner = process.getuid?.() ?? 0;
    assert.deepEqual([await kindFor(0), await kindFor(owner), await kindFor(owner + 4711)], ['read', 'read', 'failed']);
  });
});
