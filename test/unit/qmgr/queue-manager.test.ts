import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { MemberOutcome, Outcome } from '#message';
import { StoreError } from '#store';
import { type Answer, plain, Scene, startAt } from '../../support/queue-scene.ts';

describe('the queue manager', () => {
  const scenes: Scene[] = [];
  const open = async (mainCf?: string, answer?: Answer): Promise<Scene> => {
    const scene = await Scene.open(mainCf, answer);
    scenes.push(scene);
    return scene;
  };
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.close();
  });

  it('delivers a message once and removes it', async () => {
    const scene = await open();
    const id = await scene.send(['a@one.example']);
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.deepEqual(
      scene.events.map((event) => event.kind),
      ['active', 'removed'],
    );
    assert.equal(await scene.stateOf(id), undefined);
    assert.equal(scene.requests.length, 1);
  });

  it('delivers nothing twice when the end of a message can not be written', async () => {
    const scene = await open();
    const undo = scene.breakWrites('DELETE');
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    undo();
    await scene.manager.flush();
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    assert.equal(scene.requests.length, 1);
  });

  it('tells of a bug at the end of a message with its stack, and tries the message again later', async () => {
    const scene = await open('', () => ({ kind: 'bounced' }));
    scene.sendNotice = () => Promise.reject(new TypeError('no such thing'));
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    const told = scene.events.flatMap((event) => (event.kind === 'panic' ? [event] : []));
    assert.equal(told[0]?.text, `${id}: no such thing`);
    assert.match(told[0].stack, /TypeError.*queue-manager\.test/s);
    assert.ok(scene.events.every(({ kind }) => kind !== 'warning'));
  });

  it('keeps trying to write the end of a message', async (context) => {
    const scene = await open('', () => ({ kind: 'deferred' }));
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const undo = scene.breakWrites('UPDATE');
    const id = await scene.send(['a@one.example']);
    const warnings = (): number => scene.events.filter(({ kind }) => kind === 'warning').length;
    await scene.until(() => warnings() === 2);
    context.mock.timers.tick(10_000);
    await scene.until(() => warnings() === 3);
    undo();
    context.mock.timers.tick(10_000);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.equal(scene.requests.length, 1);
  });

  it('never delivers what is to expire, and returns it with what made it wait', async () => {
    const scene = await open('', () => ({ kind: 'deferred' }));
    const tried = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(tried)) === 'deferred');
    const held = await scene.send(['b@one.example'], {}, 'hold');
    await scene.store.expire({ queueIds: [tried, held] });
    await scene.store.release({ queueIds: [held] });
    await scene.manager.flush();
    await scene.until(() => scene.notices.length === 2);
    assert.deepEqual(scene.notices.toSorted(), ['failure a@one.example', 'failure b@one.example']);
    assert.equal(scene.requests.length, 1);
    const told = scene.events.flatMap((event) => (event.kind === 'delivery' ? [event.text] : []));
    assert.deepEqual(told, ['message is administratively expired']);
  });

  it('reports successes again with the next attempt, and delivers nothing for that', async () => {
    const kindOf = (address: string): 'sent' | 'deferred' => (address.startsWith('a') ? 'sent' : 'deferred');
    const scene = await open('', () => ({ kind: 'sent', kindOf }));
    scene.noticeResult = { ok: false, reason: 'no room' };
    const expanded = [{ address: 'list@one.example', original: '', dsnOriginal: '', notify: ['success'] as const }];
    const id = await scene.send(['a@one.example', 'b@one.example'], { trace: 'record', expanded });
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.deepEqual(scene.notices.splice(0), ['success list@one.example a@one.example b@one.example']);
    await scene.restart();
    scene.clock += 3_600_000;
    scene.noticeResult = { ok: true };
    const next = async (): Promise<void> => {
      await scene.manager.flush();
      await scene.until(() => scene.notices.length > 0);
      await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    };
    await next();
    assert.deepEqual(scene.notices.splice(0), ['success list@one.example a@one.example b@one.example']);
    assert.deepEqual(
      scene.requests.map(({ recipients }) => recipients.map(({ address }) => address).join(' ')),
      ['a@one.example b@one.example', 'b@one.example'],
    );
  });

  it('tells of the first attempt who asked with sendmail -v, and of no other', async () => {
    const scene = await open('', () => ({ kind: 'deferred' }));
    const id = await scene.send(['a@one.example'], { trace: 'record' });
    for (const tries of [1, 2, 3]) {
      await scene.until(() => scene.requests.length === tries);
      await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
      assert.deepEqual(scene.notices, ['success a@one.example']);
      scene.clock += 1_000;
      await scene.manager.flush();
    }
  });

  it('takes the attempt for the first one that comes after the message was put back for want of room', async () => {
    const scene = await open();
    const id = await scene.send(['a@one.example'], { trace: 'record' }, 'hold');
    await scene.store.release({ queueIds: [id] });
    await scene.store.claimById([id]);
    const next = { kind: 'deferred', dueAt: scene.clock + 60_000 } as const;
    await scene.store.settle({ queueId: id, outcomes: [], next });
    await scene.manager.flush();
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    assert.deepEqual(scene.notices, ['success a@one.example']);
  });

  it('tells of an alias that was expanded where nothing else is to be told', async () => {
    const scene = await open('', () => ({ kind: 'sent' }));
    const expanded = [{ address: 'list@one.example', original: '', dsnOriginal: '', notify: ['success'] as const }];
    await scene.send(['a@one.example', 'b@one.example'], { expanded });
    await scene.until(() => scene.notices.length > 0);
    assert.deepEqual(scene.notices, ['success list@one.example']);
  });

  it('tries in one scan nothing twice', async () => {
    const scene = await open('minimal_backoff_time = 1s\nqueue_run_delay = 1h\n', () => ({ kind: 'deferred' }));
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    await scene.manager.flush();
    await scene.until(() => scene.requests.length === 2);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    await scene.send(['b@one.example']);
    await scene.until(() => scene.requests.length > 2);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.deepEqual(
      scene.requests.map(({ queueId }) => queueId === id),
      [true, true, false],
    );
  });

  it('knows a message that is flushed at the moment it is deferred', async () => {
    const counts: number[] = [];
    const scene: Scene = await open('', () => {
      counts.push(scene.manager.status().active);
      return { kind: 'deferred' };
    });
    const settle = scene.store.settle.bind(scene.store);
    scene.store.settle = (settlement) => {
      const settled = settle(settlement);
      // in the commit that defers it
      if (counts.length === 1) void scene.manager.flushById([settlement.queueId]);
      return settled;
    };
    await scene.send(['a@one.example']);
    await scene.until(() => counts.length === 2);
    assert.deepEqual(counts, [1, 1]);
  });

  it('delivers a notice when what it is about has left the queue', async () => {
    const left: number[] = [];
    const scene = await open('', ({ envelope }) => {
      left.push(scene.events.filter(({ kind }) => kind === 'removed').length);
      return { kind: envelope.sender === '' ? 'sent' : 'bounced' };
    });
    scene.sendNotice = () => scene.send(['s@two.example'], { sender: '', origin: 'bounce' });
    await scene.send(['a@one.example']);
    await scene.until(() => scene.events.filter(({ kind }) => kind === 'removed').length === 2);
    assert.deepEqual(left, [0, 1]);
    const told = scene.events.map(({ kind }) => kind).filter((kind) => kind === 'active' || kind === 'removed');
    assert.deepEqual(told, ['active', 'active', 'removed', 'removed']);
  });

  it('warns nobody that a notice is late', async () => {
    const scene = await open('delay_warning_time = 1h\nnotify_classes = delay\n', () => ({ kind: 'deferred' }));
    const id = await scene.send(['a@one.example'], { sender: '', arrivedAt: scene.clock - 2 * 3_600_000 });
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.deepEqual(scene.notices, []);
  });

  it('tries the mail for a site at once, where somebody may ask for that', async () => {
    const scene = await open('', () => ({ kind: 'deferred' }));
    const send = async (address: string): Promise<string> => {
      const id = await scene.send([address]);
      await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
      return id;
    };
    const flushed = await send('a@Flushed.example');
    await send('a@other.example');
    const tried = (): readonly string[] => scene.requests.slice(2).map(({ queueId }) => queueId);
    await scene.manager.flushSite('other.example');
    assert.deepEqual(tried(), []);
    await scene.manager.flushSite('flushed.example');
    await scene.until(() => tried().length > 0);
    assert.deepEqual(tried(), [flushed]);
  });

  it('makes no longer pause when the clock is put back', async (context) => {
    const scene = await open('default_destination_rate_delay = 1s\n');
    context.mock.timers.enable({ apis: ['setTimeout'] });
    await Promise.all([scene.send(['a@one.example']), scene.send(['b@one.example'])]);
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.equal(scene.requests.length, 1);
    scene.clock -= 3_600_000;
    context.mock.timers.tick(1);
    // so that the step is seen before the second is over
    scene.manager.status();
    scene.clock += 1000;
    context.mock.timers.tick(1000);
    await scene.until(() => scene.requests.length === 2);
  });

  it('groups recipients by destination, sorts them, and splits them at the recipient limit', async () => {
    const scene = await open('smtp_destination_recipient_limit = 2\n');
    await scene.send(['c@one.example', 'a@one.example', 'x@two.example', 'b@one.example']);
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    const groups = scene.requests.map((request) => request.recipients.map(({ address }) => address).join(' '));
    assert.deepEqual(groups.toSorted(), ['a@one.example b@one.example', 'c@one.example', 'x@two.example']);
  });

  const inPieces =
    'smtp_destination_recipient_limit = 2\nsmtp_destination_concurrency_limit = 1\nsmtp_initial_destination_concurrency = 1\n';
  /** Which delivery a small message gets that arrives right behind one of 100 deliveries, and how many had begun by then. */
  async function placeBehindBulk(mainCf: string): Promise<{ readonly place: number; readonly begun: number }> {
    const scene = await open(inPieces + mainCf);
    await scene.send(Array.from({ length: 200 }, (_, i) => `u${i}@one.example`));
    scene.clock += 1;
    const small = await scene.send(['small@one.example']);
    const begun = scene.requests.length;
    await scene.until(() => scene.events.filter((event) => event.kind === 'removed').length === 2);
    assert.equal(scene.requests.length, 101);
    return { place: scene.requests.findIndex((request) => request.queueId === small), begun };
  }

  it('lets a small message ahead of one with many deliveries', async () => {
    const { place, begun } = await placeBehindBulk('');
    assert.ok(place - begun < 20, `delivery ${place} after ${begun}`);
  });

  it('keeps the order of arrival with default_delivery_slot_cost = 0', async () => {
    assert.equal((await placeBehindBulk('default_delivery_slot_cost = 0\n')).place, 100);
  });

  /** The most recipients that are in deliveries at once, while one message of 60 and two small ones are delivered. */
  async function mostRecipientsAtOnce(mainCf: string): Promise<number> {
    const scene = await open(mainCf);
    const large = await scene.send(Array.from({ length: 60 }, (_, i) => `u${i}@d${i % 7}.example`));
    await Promise.all([scene.send(['a@one.example']), scene.send(['b@two.example'])]);
    await scene.until(() => scene.events.filter((event) => event.kind === 'removed').length === 3);
    const all = scene.requests.filter((request) => request.queueId === large).flatMap((request) => request.recipients);
    assert.deepEqual(
      all.map(({ index }) => index).toSorted((a, b) => a - b),
      Array.from({ length: 60 }, (_, i) => i),
    );
    assert.equal(scene.requests.find((request) => request.queueId !== large)?.recipients[0]?.address, 'a@one.example');
    return scene.mostRecipients;
  }

  it('reads a message a part at a time when its recipients would be too many', async () => {
    const few = 'qmgr_message_active_limit = 3\nqmgr_message_recipient_limit = 3\nqmgr_message_recipient_minimum = 2\n';
    assert.ok((await mostRecipientsAtOnce(`${few}smtp_recipient_limit = 0\nsmtp_extra_recipient_limit = 0\n`)) <= 7);
    const refill = 'smtp_recipient_refill_limit = 1\nsmtp_extra_recipient_limit = 0\n';
    const most = await mostRecipientsAtOnce(`${few}smtp_recipient_limit = 12\n${refill}`);
    assert.ok(most > 7 && most <= 18, `${most}`);
  });

  it('fills up what waits for a destination with recipients that are read later', async () => {
    const scene = await open(
      'qmgr_message_active_limit = 5\nqmgr_message_recipient_limit = 5\nqmgr_message_recipient_minimum = 3\nsmtp_recipient_limit = 20\n' +
        'smtp_recipient_refill_limit = 1\nsmtp_destination_recipient_limit = 4\nsmtp_extra_recipient_limit = 0\n' +
        'initial_destination_concurrency = 1\n',
      async () => {
        for (let turns = 10; turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve));
        return { kind: 'sent' };
      },
    );
    await scene.send(Array.from({ length: 16 }, (_, i) => `u${i}@one.example`));
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.deepEqual(
      scene.requests.map(({ recipients }) => recipients.length),
      [4, 4, 4, 4],
    );
  });

  it('defers all recipients of a message that is read in parts, and tries them all again', async () => {
    let isUp = false;
    const scene = await open(
      'qmgr_message_active_limit = 1\nqmgr_message_recipient_limit = 1\nqmgr_message_recipient_minimum = 1\n',
      () => (isUp ? { kind: 'sent' } : { kind: 'deferred', site: true }),
    );
    const id = await scene.send(Array.from({ length: 25 }, (_, i) => `u${i}@one.example`));
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    const stored = await scene.store.find(id);
    assert.ok(
      [...(stored?.recipients.all() ?? [])].flat().every(({ lastOutcome }) => lastOutcome?.kind === 'deferred'),
    );
    isUp = true;
    await scene.manager.flush();
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.equal(new Set(scene.requests.flatMap(({ recipients }) => recipients.map(({ index }) => index))).size, 25);
  });

  it('holds the recipients of a few large messages at once, and takes up small ones beside them', async () => {
    const limits =
      'qmgr_message_active_limit = 5\nqmgr_message_recipient_minimum = 2\nqmgr_message_recipient_limit = 30\n';
    let isBlocked = true;
    const scene = await open(limits, async () => {
      while (isBlocked) await new Promise((resolve) => setImmediate(resolve));
      return { kind: 'sent' };
    });
    const recipients = Array.from({ length: 20 }, (_, i) => `u${i}@one.example`);
    for (let i = 0; i < 3; i += 1) await scene.send(recipients);
    await scene.send(['small@two.example']);
    await scene.until(() => scene.requests.some((request) => request.nexthop === 'two.example'));
    await scene.manager.scan();
    assert.equal(scene.manager.status().active, 2);
    isBlocked = false;
    await scene.until(() => scene.events.filter((event) => event.kind === 'removed').length === 4);
  });

  it('takes up a large message for which room came while it was put back', async () => {
    const limits =
      'qmgr_message_active_limit = 5\nqmgr_message_recipient_minimum = 2\nqmgr_message_recipient_limit = 30\n';
    const removed = (): number => scene.events.filter((event) => event.kind === 'removed').length;
    let isBlocked = true;
    const scene = await open(limits, async () => {
      while (isBlocked) await new Promise((resolve) => setImmediate(resolve));
      return { kind: 'sent' };
    });
    const settle = scene.store.settle.bind(scene.store);
    let puttingBack = 0;
    scene.store.settle = async (settlement) => {
      if (settlement.next?.kind === 'deferred') {
        puttingBack += 1;
        await scene.until(() => removed() === 1);
      }
      await settle(settlement);
    };
    const recipients = Array.from({ length: 20 }, (_, i) => `u${i}@one.example`);
    await scene.send(recipients);
    await scene.send(recipients);
    await scene.until(() => puttingBack === 1);
    isBlocked = false;
    await scene.until(() => removed() === 2);
  });

  it('delivers what it has claimed from one queue when the other can not be read', async () => {
    const scene = await open();
    await scene.manager.stop(0);
    const id = await scene.send(['a@one.example']);
    const claim = scene.store.claim.bind(scene.store);
    scene.store.claim = (from, now, limit) =>
      from === 'deferred' ? Promise.reject(new StoreError('disk I/O error')) : claim(from, now, limit);
    scene.manager.start();
    await scene.until(() => scene.events.some(({ kind }) => kind === 'warning'));
    await scene.until(async () => (await scene.stateOf(id)) !== 'active');
    assert.equal(await scene.stateOf(id), undefined);
    const texts = scene.events.flatMap((event) => (event.kind === 'warning' ? [event.text] : []));
    assert.equal(texts[0], 'cannot scan the queue: disk I/O error');
  });

  it('forgets no large message when one that was put back can not be taken up', async () => {
    const limits =
      'qmgr_message_active_limit = 5\nqmgr_message_recipient_minimum = 2\nqmgr_message_recipient_limit = 30\n';
    const removed = (): number => scene.events.filter((event) => event.kind === 'removed').length;
    const scene = await open(limits);
    await scene.manager.stop(0);
    const recipients = Array.from({ length: 20 }, (_, i) => `u${i}@one.example`);
    for (let i = 0; i < 3; i += 1) await scene.send(recipients);
    const settle = scene.store.settle.bind(scene.store);
    scene.store.settle = async (settlement) => {
      if (settlement.next?.kind === 'deferred') await scene.until(() => removed() === 1);
      await settle(settlement);
    };
    const claimById = scene.store.claimById.bind(scene.store);
    let failures = 0;
    scene.store.claimById = (ids) => {
      failures += 1;
      return failures === 1 ? Promise.reject(new StoreError('disk I/O error')) : claimById(ids);
    };
    scene.manager.start();
    await scene.until(() => failures > 0);
    await scene.until(() => removed() === 2);
  });

  describe('when postsuper takes messages away', () => {
    const limits =
      'default_destination_concurrency_limit = 1\nsmtp_destination_recipient_limit = 2\n' +
      'qmgr_message_active_limit = 5\nqmgr_message_recipient_minimum = 2\nqmgr_message_recipient_limit = 5\n' +
      'smtp_recipient_limit = 5\nsmtp_extra_recipient_limit = 0\n';
    let isBlocked = true;
    const openBlocked = async (): Promise<Scene> => {
      isBlocked = true;
      return open(limits, async () => {
        while (isBlocked) await new Promise((resolve) => setImmediate(resolve));
        return { kind: 'sent' };
      });
    };
    const six = Array.from({ length: 6 }, (_, i) => `u${i}@one.example`);

    it('starts nothing more of those that were deleted', async () => {
      const scene = await openBlocked();
      const ids = [await scene.send(six), await scene.send(['a@one.example']), await scene.send(['b@two.example'])];
      await scene.until(() => scene.requests.length === 2);
      const deleted = ids.slice(0, 2);
      await scene.store.remove({ queueIds: deleted });
      await scene.manager.withdraw(deleted, 'deleted');
      assert.equal(scene.manager.status().active, 2);
      isBlocked = false;
      await scene.until(() => scene.manager.status().active === 0);
      assert.deepEqual(scene.requests.map(({ recipients }) => recipients[0]?.address ?? '').toSorted(), [
        'b@two.example',
        'u0@one.example',
      ]);
      assert.equal(scene.events.filter(({ kind }) => kind === 'removed').length, 1);
      assert.deepEqual(scene.manager.status().unread, []);
      const later = await scene.send(['c@one.example']);
      await scene.until(async () => (await scene.stateOf(later)) === undefined);
      assert.equal(scene.requests.length, 3);
    });

    it('starts nothing of those that were being claimed', async () => {
      isBlocked = false;
      const scene = await open('');
      await scene.manager.stop(0);
      const { manager, store } = scene;
      const [deleted, held, other] = [
        await scene.send(['a@one.example']),
        await scene.send(['b@one.example']),
        await scene.send(['c@one.example']),
      ];
      const claim = store.claim.bind(store);
      store.claim = async (from, now, limit) => {
        // while that is read, what came from incoming waits
        if (from === 'deferred' && (await scene.stateOf(held)) === 'active') {
          await manager.withdraw(await store.remove({ queueIds: [deleted] }), 'deleted');
          await manager.withdraw(await store.hold({ queueIds: [held] }), 'wanted');
        }
        return claim(from, now, limit);
      };
      manager.start();
      await scene.until(async () => (await scene.stateOf(other)) === undefined && manager.status().active === 0);
      assert.deepEqual(
        scene.requests.map(({ queueId }) => queueId),
        [other],
      );
      assert.equal(await scene.stateOf(held), 'hold');
      assert.deepEqual(
        scene.events.flatMap((event) => (event.kind === 'removed' ? [event.queueId] : [])),
        [other],
      );
    });

    it('gives others their turn while there are many of them', async () => {
      const scene = await openBlocked();
      let isOver = false;
      const withdrawn = scene.manager
        .withdraw(
          Array.from({ length: 2000 }, () => 'ABCDEF'),
          'deleted',
        )
        .then(() => {
          isOver = true;
        });
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(isOver, false);
      await withdrawn;
    });

    it('starts nothing more of those that are put on hold', async () => {
      const scene = await openBlocked();
      const [begun, waiting] = [await scene.send(six), await scene.send(['a@one.example'])];
      await scene.until(() => scene.requests.length === 1);
      await scene.manager.withdraw(await scene.store.hold({}), 'wanted');
      assert.equal(await scene.stateOf(waiting), 'hold');
      isBlocked = false;
      await scene.until(async () => (await scene.stateOf(begun)) === 'hold');
      assert.equal(scene.requests.length, 1);
      const recipients = [...((await scene.store.find(begun))?.recipients.all() ?? [])].flat();
      assert.deepEqual(
        recipients.filter(({ state }) => state === 'pending').map(({ address }) => address),
        six.slice(2),
      );
      await scene.store.release({});
      await scene.manager.flush();
      await scene.until(() => scene.events.filter(({ kind }) => kind === 'removed').length === 2);
      assert.equal(scene.requests.length, 4);
    });
  });

  it('takes up incoming and deferred mail in turn', async () => {
    const scene = await open('qmgr_message_active_limit = 1\n', ({ recipients: [recipient] }) => ({
      kind: recipient?.address.startsWith('old') === true && scene.clock === startAt ? 'deferred' : 'sent',
    }));
    const old: string[] = [];
    for (let i = 0; i < 4; i += 1) {
      const id = await scene.send([`old${i}@one.example`]);
      await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
      old.push(id);
    }
    await scene.manager.stop(0);
    const fresh: string[] = [];
    for (let i = 0; i < 4; i += 1) fresh.push(await scene.send([`new${i}@one.example`]));
    scene.clock += 10_000_000;
    scene.requests.length = 0;
    scene.manager.start();
    await scene.until(() => scene.events.filter((event) => event.kind === 'removed').length === 8);
    const order = scene.requests.map(({ queueId }) => (fresh.includes(queueId) ? 'new' : 'old'));
    assert.equal(order.length, 8);
    assert.ok(
      order.every((one, at) => at === 0 || one !== order[at - 1]),
      order.join(' '),
    );
  });

  it('leaves what waits to others when it is retired, and delivers what arrives here', async () => {
    const scene = await open('', ({ recipients: [recipient] }) => ({
      kind: recipient?.address.startsWith('old') === true ? 'deferred' : 'sent',
    }));
    const old = await scene.send(['old@one.example']);
    await scene.until(async () => (await scene.stateOf(old)) === 'deferred');
    scene.manager.retire();
    scene.clock += 10_000_000;
    await scene.manager.scan();
    const fresh = await scene.send(['new@two.example']);
    await scene.until(() => scene.events.some((event) => event.kind === 'removed' && event.queueId === fresh));
    assert.deepEqual(
      scene.requests.map(({ queueId }) => queueId),
      [old, fresh],
    );
    assert.equal(await scene.stateOf(old), 'deferred');
  });

  it('slows mail down that arrives while more waits than is taken up', async () => {
    let isBlocked = true;
    const scene = await open('qmgr_message_active_limit = 2\n', async () => {
      while (isBlocked) await new Promise((resolve) => setImmediate(resolve));
      return { kind: 'sent' };
    });
    const arrive = async (): Promise<void> => {
      await scene.inFlow.pause(1000);
      await scene.send(['a@one.example']);
    };
    for (let i = 0; i < 6; i += 1) await arrive();
    assert.deepEqual(scene.pauses, [1000]);
    isBlocked = false;
    await scene.until(() => scene.events.filter((event) => event.kind === 'removed').length === 6);
    await scene.manager.scan();
    for (let i = 0; i < 3; i += 1) await arrive();
    assert.deepEqual(scene.pauses, [1000]);
  });

  it('defers for as long as the message is old, within bounds, and tries again when it is due', async () => {
    let isUp = false;
    const scene = await open('', () => ({ kind: isUp ? 'sent' : 'deferred' }));
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.equal((await scene.store.find(id))?.dueAt, startAt + 300_000);
    isUp = true;
    scene.clock += 298_000;
    await scene.manager.scan();
    assert.equal(scene.requests.length, 1);
    // less than a second early is near enough
    scene.clock += 1001;
    await scene.manager.scan();
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.equal(scene.requests.length, 2);
  });

  it('suspends a dead destination: its other mail is deferred without a try, until flushed', async () => {
    let isUp = false;
    const scene = await open('initial_destination_concurrency = 1\n', () =>
      isUp ? { kind: 'sent' } : { kind: 'deferred', site: true },
    );
    const first = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(first)) === 'deferred');
    const second = await scene.send(['b@one.example']);
    await scene.until(async () => (await scene.stateOf(second)) === 'deferred');
    assert.equal(scene.requests.length, 1);
    assert.deepEqual(scene.texts(), ['4.4.1 deferred delivery temporarily suspended: said so']);
    const status = (): { readonly waitReason?: string; readonly nextMoment?: number } =>
      scene.manager.status().transports[0]?.destinations[0] ?? {};
    assert.equal(status().waitReason, 'dead-destination');
    assert.equal(status().nextMoment, scene.clock + 300_000);
    scene.clock -= 3_600_000;
    assert.equal(status().nextMoment, scene.clock + 300_000, 'also where the clock is put back');
    isUp = true;
    await scene.manager.flush();
    await scene.until(() => scene.events.filter((event) => event.kind === 'removed').length === 2);
  });

  it('remembers no more dead destinations than qmgr_message_recipient_limit', async () => {
    const scene = await open(
      'initial_destination_concurrency = 1\nqmgr_message_active_limit = 5\nqmgr_message_recipient_limit = 5\n',
      () => ({
        kind: 'deferred',
        site: true,
      }),
    );
    for (let i = 0; i < 12; i += 1) await scene.send([`a@d${i}.example`]);
    await scene.until(async () => {
      for await (const { queue } of scene.store.list()) if (queue !== 'deferred') return false;
      return true;
    });
    assert.equal(scene.manager.status().transports[0]?.destinations.length, 5);
  });

  it('runs no more deliveries at once than the window, and lets it grow by success', async () => {
    const scene = await open('initial_destination_concurrency = 2\ndefault_destination_concurrency_limit = 3\n');
    await Promise.all(Array.from({ length: 30 }, () => scene.send(['a@one.example'])));
    await scene.until(() => scene.events.filter((event) => event.kind === 'removed').length === 30);
    assert.ok(scene.mostRunning <= 3);
  });

  it('returns a message that failed when its lifetime is over', async () => {
    const scene = await open('maximal_queue_lifetime = 0\n', () => ({ kind: 'deferred' }));
    await scene.send(['a@one.example']);
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.deepEqual(scene.notices, ['failure a@one.example']);
    assert.ok(scene.events.some((event) => event.kind === 'expired' && !event.isForced));
  });

  it('delivers no more to who was returned as expired when another notice could not be sent', async () => {
    const scene = await open('maximal_queue_lifetime = 0\n', () => ({
      kind: 'sent',
      kindOf: (address) => (address.startsWith('b') ? 'bounced' : 'deferred'),
    }));
    scene.sendNotice = async () => {
      scene.noticeResult = scene.notices.length === 1 ? { ok: false, reason: 'no room' } : { ok: true };
    };
    const id = await scene.send(['b@one.example', 'd@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.deepEqual(scene.notices, ['failure b@one.example', 'failure d@one.example']);
    await scene.manager.flush();
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    assert.deepEqual(
      scene.requests.map(({ recipients }) => recipients.map(({ address }) => address).join(' ')),
      ['b@one.example d@one.example', 'b@one.example'],
    );
    assert.deepEqual(scene.notices.slice(2), ['failure b@one.example']);
  });

  it('gives messages with a null sender bounce_queue_lifetime', async () => {
    const scene = await open('bounce_queue_lifetime = 0\n', () => ({ kind: 'deferred' }));
    const id = await scene.send(['a@one.example']);
    await scene.send(['b@one.example'], { sender: '' });
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.deepEqual(scene.notices, ['failure b@one.example']);
  });

  it('warns of a delay once', async () => {
    const scene = await open('delay_warning_time = 1h\n', () => ({ kind: 'deferred' }));
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.deepEqual(scene.notices, []);
    for (const round of [1, 2]) {
      scene.clock += 5_000_000;
      await scene.manager.scan();
      await scene.until(async () => scene.requests.length === round + 1 && (await scene.stateOf(id)) === 'deferred');
    }
    assert.deepEqual(scene.notices, ['delay a@one.example']);
  });

  it('tells that a delay is over with confirm_delay_cleared', async () => {
    let kind: Outcome['kind'] = 'deferred';
    const scene = await open('delay_warning_time = 1h\nconfirm_delay_cleared = yes\n', () => ({ kind }));
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    scene.clock += 5_000_000;
    await scene.manager.scan();
    await scene.until(async () => scene.requests.length === 2 && (await scene.stateOf(id)) === 'deferred');
    kind = 'sent';
    scene.clock += 5_000_000;
    await scene.manager.scan();
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.deepEqual(scene.notices, ['delay a@one.example', 'success a@one.example']);
  });

  it('decides about what cannot be routed, with the texts of qmgr(8)', async () => {
    const scene = await open('defer_transports = filter\n');
    await scene.send(['a@broken.example']);
    await scene.send(['a@bad.example']);
    await scene.send(['a@nowhere.example']);
    await scene.send(['double-bounce@local.example']);
    await scene.send(['a@one.example'], { contentFilter: 'filter:x' });
    await scene.until(() => scene.texts().length === 5);
    assert.deepEqual(scene.texts().toSorted(), [
      '2.0.0 sent undeliverable postmaster notification discarded',
      '4.3.0 deferred address resolver failure',
      '4.3.0 deferred mail transport unavailable',
      '4.3.2 deferred deferred transport',
      '5.1.3 bounced bad address syntax',
    ]);
    assert.equal(scene.requests.length, 0);
  });

  it('puts off a message of which routing meets bugs, at once and while it waits', async () => {
    const scene = await open();
    const ids = [
      await scene.send(['a@late-bug.example', 'b@bug.example']),
      await scene.send(['a@late-bug.example', 'b@one.example']),
    ];
    for (const id of ids) await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.equal(scene.requests.length, 0);
    assert.equal(scene.events.filter(({ kind }) => kind === 'panic').length, 2);
  });

  it('tries what defer_transports defers when it is flushed while the queue is scanned', async () => {
    const scene = await open('defer_transports = smtp\n');
    const id = await scene.send(['a@one.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    const { promise: isFlushed, resolve: flushed } = Promise.withResolvers<void>();
    const claim = scene.store.claim.bind(scene.store);
    scene.store.claim = async (...wanted) => {
      const claimed = await claim(...wanted);
      await isFlushed;
      return claimed;
    };
    const scan = scene.manager.scan();
    await scene.manager.flush();
    flushed();
    await scan;
    await scene.until(async () => (await scene.stateOf(id)) !== 'active');
    assert.equal(await scene.stateOf(id), undefined);
    assert.equal(scene.requests.length, 1);
  });

  it('decides about the recipients of a message in the order in which they would be delivered', async () => {
    const scene = await open('defer_transports = filter\n');
    await scene.send(['b@two.example', 'a@three.example', 'a@one.example'], { contentFilter: 'filter:x' });
    await scene.until(() => scene.texts().length === 3);
    const decided = scene.events.flatMap((event) => (event.kind === 'delivery' ? [event.recipient] : []));
    assert.deepEqual(decided, ['a@one.example', 'a@three.example', 'b@two.example']);
  });

  it('routes a filtered message as a whole', async () => {
    const scene = await open();
    await scene.send(['a@one.example', 'b@two.example'], { contentFilter: 'filter:[127.0.0.1]:10025' });
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.equal(scene.requests.length, 1);
    assert.equal(scene.requests[0]?.nexthop, '[127.0.0.1]:10025');
  });

  it('keeps only the recipients that are left, and logs the count of all', async () => {
    let isUp = false;
    const scene = await open('', ({ nexthop }) => ({ kind: isUp || nexthop === 'one.example' ? 'sent' : 'deferred' }));
    const id = await scene.send(['a@one.example', 'b@two.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    isUp = true;
    await scene.manager.flushById([id]);
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.deepEqual(
      scene.requests.map((request) => request.recipients[0]?.address),
      ['a@one.example', 'b@two.example', 'b@two.example'],
    );
    const counts = scene.events.flatMap((event) => (event.kind === 'active' ? event.recipientCount : []));
    assert.deepEqual(counts, [2, 2]);
  });

  it('reports a probe once and never tries it again', async () => {
    const scene = await open('', () => ({ kind: 'deferred' }));
    const id = await scene.send(['a@one.example'], { trace: 'verify' });
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.equal(scene.requests[0]?.probe, true);
    assert.deepEqual(scene.notices, ['verify a@one.example']);
    assert.equal(await scene.stateOf(id), undefined);
  });

  it('reports on the members of an expansion, to the owner of the list where it has one', async () => {
    const status = { code: '5.1.1', reason: 'unknown user' };
    const { sender } = plain;
    const members: readonly MemberOutcome[] = [
      { address: 'a@local.example', sender, kind: 'sent', status: { code: '2.0.0', reason: 'delivered' } },
      { address: 'b@local.example', sender, kind: 'bounced', status },
      { address: 'c@local.example', sender, kind: 'deferred', status: { code: '4.2.0', reason: 'full' } },
      { address: 'd@local.example', sender: 'owner@local.example', kind: 'bounced', status },
    ];
    const scene = await open('', () => ({ kind: 'deferred', members }));
    const id = await scene.send(['list@local.example']);
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
    assert.deepEqual(scene.notices, ['failure b@local.example', 'failure d@local.example to owner@local.example']);
  });

  it('gives VERP recipients a sender and a delivery each', async () => {
    const scene = await open();
    await scene.send(['a@one.example', 'b@one.example'], { verp: '+=' });
    await scene.until(() => scene.events.some((event) => event.kind === 'removed'));
    assert.deepEqual(
      scene.requests.map(({ envelope, recipients }) => [envelope.sender, recipients.length]),
      [
        ['s+a=one.example@example.com', 1],
        ['s+b=one.example@example.com', 1],
      ],
    );
  });

  it('takes up what was left active by a stop', async () => {
    const scene = await open('', () => ({ kind: 'deferred' }));
    await scene.manager.stop(0);
    const id = await scene.send(['a@one.example']);
    assert.equal(await scene.stateOf(id), 'incoming');
    scene.manager.start();
    await scene.until(async () => (await scene.stateOf(id)) === 'deferred');
  });
});
