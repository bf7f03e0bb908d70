import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ActiveMessage } from '../../src/qmgr/active.ts';
import { RecipientSpace } from '../../src/qmgr/recipient-space.ts';
import { Schedule } from '../support/schedule.ts';

const transports = ['smtp', 'local', 'relay'];

interface Lot {
  readonly message: ActiveMessage;
  readonly transport: string;
  readonly count: number;
}

const sizes = fc.record({
  recipientLimit: fc.integer({ min: 1, max: 60 }),
  recipientMinimum: fc.integer({ min: 1, max: 10 }),
  roomSize: fc.nat(50),
  extraRoomSize: fc.nat(20),
  refillLimit: fc.integer({ min: 1, max: 30 }),
  refillDelayMs: fc.constantFrom(1000, 5000),
});

const step = fc.record({
  kind: fc.constantFrom('message', 'read', 'read', 'end', 'end', 'ahead', 'later'),
  size: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 400 })),
  parts: fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }),
  at: fc.nat(20),
});

describe('the space for recipients', () => {
  it('never holds more than its limits, and every recipient gets in', () => {
    fc.assert(
      fc.property(
        sizes,
        fc.array(step, { minLength: 20, maxLength: 80 }),
        ({ recipientLimit, recipientMinimum, ...room }, steps) => {
          const space = new RecipientSpace({ recipientLimit, recipientMinimum }, () => room);
          const schedule = new Schedule();
          const lots: Lot[] = [];
          let now = 0;
          let messages = 0;
          let left = 0;
          let held = 0;
          const read = (message: ActiveMessage, count: number, parts: readonly number[]): void => {
            assert.ok(count > 0 && count <= message.unreadCount);
            space.read(message, count, now);
            left -= count;
            held += count;
            let rest = count;
            parts.forEach((part, at) => {
              const share = at === parts.length - 1 ? rest : Math.min(rest, Math.ceil(count / parts.length));
              const transport = transports[part];
              rest -= share;
              if (share === 0) return;
              if (transport === undefined) {
                space.released(message, undefined, share);
                held -= share;
              } else {
                space.placed(message, transport, share);
                lots.push({ message, transport, count: share });
              }
            });
            // the rooms of all transports count from the time they are first used
            const bound = Math.max(recipientLimit, transports.length * (room.roomSize + room.extraRoomSize));
            assert.ok(held <= bound + recipientMinimum * messages, `${held}`);
          };
          const end = (at: number): void => {
            const [lot] = lots.splice(lots.length === 0 ? 0 : at % lots.length, 1);
            if (lot === undefined) return;
            space.released(lot.message, lot.transport, lot.count);
            held -= lot.count;
          };
          for (const { kind, size, parts, at } of steps) {
            if (kind === 'later') now += at * 100;
            if (kind === 'end') end(at);
            if (kind === 'ahead')
              for (const { message, transport } of lots.slice(at, at + 1)) space.gotAhead(message, transport);
            if (kind === 'message') {
              const message = schedule.message();
              message.unreadCount = size;
              messages += 1;
              left += size;
              read(message, space.firstBatch(message), parts);
            }
            const due = kind === 'read' ? space.due(now) : undefined;
            if (due !== undefined) read(due.message, due.count, parts);
          }
          while (left > 0) {
            const due = space.due(now);
            if (due !== undefined) read(due.message, due.count, [0, 1]);
            else {
              assert.ok(lots.length > 0, 'nothing is due and nothing ends');
              end(0);
            }
          }
          while (lots.length > 0) end(0);
          assert.equal(held, 0);
          assert.equal(
            space.firstBatch(Object.assign(schedule.message(), { unreadCount: 1000 })),
            Math.max(recipientLimit, recipientMinimum),
          );
          assert.equal(space.isReading, false);
        },
      ),
      { numRuns: 300 },
    );
  });
});
