import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { Outcome } from '#message';
import { type Answer, Scene } from '../../support/queue-scene.ts';

const total = 1300;
const kinds: readonly Outcome['kind'][] = ['sent', 'bounced', 'deferred'];
/** `sent7@d3.example`: what becomes of it stands in its name. */
const addresses = Array.from({ length: total }, (_, i) => `${kinds[i % 3]}${i}@d${i % 7}.example`);
const named = (address: string): Outcome['kind'] => kinds.find((kind) => address.startsWith(kind)) ?? 'sent';
const bounced = addresses.filter((address) => named(address) === 'bounced');
const deferred = addresses.filter((address) => named(address) === 'deferred');

describe('a message of many recipients', () => {
  const scenes: Scene[] = [];
  const open = async (answer: Answer, mainCf = ''): Promise<Scene> => {
    const scene = await Scene.open(mainCf, answer);
    scenes.push(scene);
    return scene;
  };
  afterEach(async () => {
    for (const scene of scenes.splice(0)) await scene.close();
  });
  const asNamed: Answer = () => ({ kind: 'sent', kindOf: named });
  const isDeferred = (scene: Scene, id: string) => async (): Promise<boolean> =>
    (await scene.stateOf(id)) === 'deferred';
  const tried = (scene: Scene): readonly string[] =>
    scene.requests.flatMap(({ recipients }) => recipients.map(({ address }) => address));
  const waiting = async (scene: Scene, id: string): Promise<readonly string[]> =>
    [...((await scene.store.find(id))?.recipients.all() ?? [])]
      .flat()
      .flatMap(({ state, address }) => (state === 'pending' ? [address] : []));

  it('is reported in one notice, and only who is deferred is tried again', async () => {
    let isLater = false;
    const scene = await open(() => ({ kind: 'sent', kindOf: (address) => (isLater ? 'sent' : named(address)) }));
    const id = await scene.send(addresses);
    await scene.until(isDeferred(scene, id));
    assert.equal(tried(scene).length, total);
    assert.deepEqual(scene.notices, [`failure ${bounced.join(' ')}`]);
    assert.deepEqual(await waiting(scene, id), deferred);
    isLater = true;
    scene.requests.length = 0;
    await scene.manager.flush();
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    assert.deepEqual(tried(scene).toSorted(), deferred.toSorted());
    assert.equal(scene.notices.length, 1);
  });

  it('is tried after a stop where it was not, and all failures are reported then', async () => {
    let started = 0;
    let isBack = false;
    const hangs = new Promise<never>(() => undefined);
    const scene = await open(() => {
      started += 1;
      return isBack || started < 15 ? { kind: 'sent', kindOf: named } : hangs;
    });
    const id = await scene.send(addresses);
    await scene.until(() => scene.running > 0 && scene.requests.length - scene.running >= 14);
    const before = scene.requests.slice(0, 14).flatMap(({ recipients }) => recipients.map(({ address }) => address));
    scene.requests.length = 0;
    await scene.restart();
    isBack = true;
    await scene.until(isDeferred(scene, id));
    const again = new Set(tried(scene));
    for (const address of before) assert.equal(again.has(address), named(address) === 'deferred', address);
    assert.equal(again.size, total - before.filter((address) => named(address) !== 'deferred').length);
    assert.equal(scene.notices.length, 1);
    assert.deepEqual(scene.notices[0]?.split(' ').slice(1).toSorted(), bounced.toSorted());
  });

  it('stays until its failures could be reported', async () => {
    const scene = await open(() => ({ kind: 'bounced' }));
    scene.noticeResult = { ok: false, reason: 'full' };
    const id = await scene.send(addresses);
    await scene.until(isDeferred(scene, id));
    assert.equal(tried(scene).length, total);
    scene.noticeResult = { ok: true };
    scene.notices.length = 0;
    await scene.manager.flush();
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    assert.equal(tried(scene).length, total);
    assert.deepEqual(scene.notices, [`failure ${addresses.join(' ')}`]);
  });

  it('goes back when it has expired, for those who waited by a notice of their own', async () => {
    const scene = await open(asNamed);
    const id = await scene.send(addresses, { arrivedAt: scene.clock - 6 * 86_400_000 });
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    const told = scene.notices.map((notice) => notice.split(' ').slice(1).toSorted());
    assert.deepEqual(told, [bounced.toSorted(), deferred.toSorted()]);
  });

  it('has its sender told once who waits', async () => {
    const scene = await open(asNamed, 'delay_warning_time = 1h\n');
    const id = await scene.send(addresses, { arrivedAt: scene.clock - 2 * 3_600_000 });
    await scene.until(isDeferred(scene, id));
    assert.deepEqual(scene.notices.at(-1), `delay ${deferred.join(' ')}`);
    await scene.manager.flush();
    await scene.until(() => tried(scene).length === total + deferred.length);
    await scene.until(isDeferred(scene, id));
    assert.equal(scene.notices.length, 2);
  });

  it('reports successes to who asked for it', async () => {
    const scene = await open(() => ({ kind: 'sent' }));
    const id = await scene.send(addresses, { trace: 'record' });
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    assert.deepEqual(scene.notices, [`success ${addresses.join(' ')}`]);
  });

  it('stays until its successes could be reported, and is not delivered again', async () => {
    const scene = await open(() => ({ kind: 'sent' }));
    scene.noticeResult = { ok: false, reason: 'full' };
    const id = await scene.send(addresses, { trace: 'record' });
    await scene.until(isDeferred(scene, id));
    scene.noticeResult = { ok: true };
    scene.notices.length = 0;
    await scene.manager.flush();
    await scene.until(async () => (await scene.stateOf(id)) === undefined);
    assert.equal(tried(scene).length, total);
    assert.deepEqual(scene.notices, [`success ${addresses.join(' ')}`]);
  });
});
