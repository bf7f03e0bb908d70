import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ActiveMessage } from '../../../src/qmgr/active.ts';
import { RecipientSpace } from '../../../src/qmgr/recipient-space.ts';
import { Schedule } from '../../support/schedule.ts';

const rooms = { roomSize: 50, extraRoomSize: 10, refillLimit: 20, refillDelayMs: 5000 };

class Scene {
  readonly space = new RecipientSpace({ recipientLimit: 30, recipientMinimum: 5 }, () => rooms);
  readonly #schedule = new Schedule();
  now = 0;

  message(recipients: number): ActiveMessage {
    const message = this.#schedule.message();
    message.unreadCount = recipients;
    return message;
  }

  /** Reads so many recipients into the room of a transport. */
  read(message: ActiveMessage, count: number, transport = 'smtp'): void {
    this.space.read(message, count, this.now);
    this.space.placed(message, transport, count);
  }

  /** How many more of the message are due. */
  due(message: ActiveMessage): number {
    const due = this.space.due(this.now);
    return due?.message === message ? due.count : 0;
  }
}

describe('the space for recipients', () => {
  it('gives a first batch what is left of the global limit, and the minimum at least', () => {
    const scene = new Scene();
    const [first, second] = [scene.message(28), scene.message(28)];
    assert.equal(scene.space.firstBatch(first), 28);
    scene.read(first, 28);
    assert.equal(scene.space.firstBatch(second), 5);
    assert.equal(scene.space.firstBatch(scene.message(3)), 3);
  });

  it('gives the room of a transport to the oldest message that is not read to its end', () => {
    const scene = new Scene();
    const [first, second] = [scene.message(1000), scene.message(1000)];
    scene.read(second, 5);
    scene.read(first, 5);
    assert.equal(scene.due(first), 40);
    scene.read(first, 40);
    assert.equal(scene.space.due(scene.now), undefined);
  });

  it('reads on when the refill limit fits, or after the refill delay', () => {
    const scene = new Scene();
    const message = scene.message(1000);
    scene.read(message, 30);
    scene.read(message, 20);
    scene.space.released(message, 'smtp', 19);
    assert.equal(scene.due(message), 0);
    assert.equal(scene.space.nextMoment(scene.now), 5000);
    scene.now = 5000;
    assert.equal(scene.due(message), 19);
    scene.now = 10;
    scene.space.released(message, 'smtp', 1);
    assert.equal(scene.due(message), 20);
  });

  it('reads the minimum of a message of which nothing is left, whatever the room', () => {
    const scene = new Scene();
    const [first, second] = [scene.message(1000), scene.message(1000)];
    scene.read(first, 50);
    scene.read(second, 5);
    assert.equal(scene.space.due(scene.now), undefined);
    scene.space.released(second, 'smtp', 5);
    assert.equal(scene.due(second), 5);
  });

  it('gives half of the room that is left, and of the extra room, to a message that got ahead', () => {
    const scene = new Scene();
    const [first, second] = [scene.message(1000), scene.message(40)];
    scene.read(first, 50);
    scene.read(second, 5);
    scene.space.gotAhead(second, 'smtp');
    scene.now = 5000;
    assert.equal(scene.due(second), 3);
  });

  it('counts what went nowhere as gone, and what is given up', () => {
    const scene = new Scene();
    const [first, second] = [scene.message(100), scene.message(100)];
    scene.space.read(first, 30, 0);
    scene.space.released(first, undefined, 30);
    assert.equal(scene.due(first), 30);
    assert.deepEqual(
      scene.space.unread().map(({ recipients }) => recipients),
      [70],
    );
    scene.space.read(second, 20, 0);
    scene.space.placed(second, 'smtp', 5);
    scene.space.givenUp(second);
    assert.equal(scene.space.firstBatch(scene.message(100)), 25);
    scene.space.released(second, 'smtp', 5);
    scene.space.givenUp(first);
    assert.equal(scene.space.firstBatch(scene.message(100)), 30);
    assert.equal(scene.space.due(0), undefined);
    assert.equal(scene.space.isReading, false);
  });
});
