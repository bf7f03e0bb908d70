/**
 * How many recipients stand in the schedule: the store holds all recipients of an active message, the queue manager
 * routes and groups them a batch at a time. SCHEDULER_README, "Dealing with memory resource limits"
 *
 * A message may always have qmgr_message_recipient_minimum. The first batch of it may be larger, up to what is left of
 * qmgr_message_recipient_limit. Later ones are paid by the transports that the message goes to: each has a room of its
 * own (`TRANSPORT_recipient_limit`), all of which is for the oldest message with recipients left to read; a message that
 * has got ahead of another one may use half of what is left and of the extra room. More are read when a good lot of them
 * fits (refill limit), when the last reading is long ago (refill delay), or when there is nothing left of the last batch.
 * So there are never more than the larger of qmgr_message_recipient_limit and the sum of the transports' rooms, and the
 * minimum for each message on top.
 */
import type { ActiveMessage } from './active.ts';
import type { TransportSettings } from './settings.ts';

export interface SpaceSettings {
  /** qmgr_message_recipient_limit */
  readonly recipientLimit: number;
  /** qmgr_message_recipient_minimum */
  readonly recipientMinimum: number;
}

type RoomSettings = Pick<TransportSettings, 'roomSize' | 'extraRoomSize' | 'refillLimit' | 'refillDelayMs'>;

/** What one transport has of recipients. */
interface Room {
  readonly settings: RoomSettings;
  taken: number;
  /** Messages with recipients left to read that have some here; the oldest first. */
  readonly readers: ActiveMessage[];
  /** Those of them that have got ahead of another message. */
  readonly ahead: Set<ActiveMessage>;
}

/** A message that is not read to its end. */
interface Reading {
  readonly rooms: Set<Room>;
  lastAt: number;
}

/** Messages that may bring more into a room. */
function eligible({ readers: [first], ahead }: Room): Iterable<ActiveMessage> {
  if (first === undefined) return [];
  return ahead.size === 0 ? [first] : [first, ...ahead];
}

export class RecipientSpace {
  readonly #settings: SpaceSettings;
  readonly #settingsOf: (transport: string) => RoomSettings;
  readonly #rooms = new Map<string, Room>();
  readonly #readings = new Map<ActiveMessage, Reading>();
  /** Messages whose last batch is gone. */
  readonly #empty = new Set<ActiveMessage>();
  /** Recipients that are routed or in the schedule. */
  #total = 0;
  #allRooms = 0;

  constructor(settings: SpaceSettings, settingsOf: (transport: string) => RoomSettings) {
    this.#settings = settings;
    this.#settingsOf = settingsOf;
  }

  /** Whether any message has recipients left to read. */
  get isReading(): boolean {
    return this.#readings.size > 0;
  }

  /** What is left to read, for commands. */
  unread(): readonly { readonly queueId: string; readonly recipients: number }[] {
    return [...this.#readings.keys()].map(({ queued, unreadCount }) => ({
      queueId: queued.queueId,
      recipients: unreadCount,
    }));
  }

  /** The recipients that a message starts with. */
  firstBatch({ unreadCount }: ActiveMessage): number {
    const { recipientLimit, recipientMinimum } = this.#settings;
    return Math.min(unreadCount, Math.max(recipientMinimum, recipientLimit - this.#total));
  }

  /** A batch is taken in. */
  read(message: ActiveMessage, count: number, now: number): void {
    this.#total += count;
    message.readCount += count;
    message.unreadCount -= count;
    this.#empty.delete(message);
    const reading = this.#readings.get(message);
    if (message.unreadCount === 0) {
      if (reading !== undefined) this.#readToItsEnd(message, reading);
    } else if (reading === undefined) this.#readings.set(message, { rooms: new Set(), lastAt: now });
    else reading.lastAt = now;
  }

  /** So many recipients of it are in the schedule of a transport now. */
  placed(message: ActiveMessage, transport: string, count: number): void {
    const room = this.#room(transport);
    room.taken += count;
    message.placedCount += count;
    if (message.unreadCount === 0) return;
    const reading = this.#readings.get(message);
    if (reading === undefined || reading.rooms.has(room)) return;
    reading.rooms.add(room);
    const at = room.readers.findLastIndex((other) => other.sequence < message.sequence) + 1;
    room.readers.splice(at, 0, message);
  }

  /** So many are out of the schedule of a transport; of none when they never came into one. */
  released(message: ActiveMessage, transport: string | undefined, count: number): void {
    if (transport !== undefined) {
      this.#room(transport).taken -= count;
      message.placedCount -= count;
    }
    this.#total -= count;
    message.readCount -= count;
    if (message.readCount === 0 && message.unreadCount > 0) this.#empty.add(message);
  }

  /** The message has got ahead of another one in the transport. */
  gotAhead(message: ActiveMessage, transport: string): void {
    const room = this.#room(transport);
    if (this.#readings.get(message)?.rooms.has(room) === true) room.ahead.add(message);
  }

  /** The message is given up: it is not read any further, and what is not in the schedule never comes into it. */
  givenUp(message: ActiveMessage): void {
    message.unreadCount = 0;
    this.released(message, undefined, message.readCount - message.placedCount);
    const reading = this.#readings.get(message);
    if (reading !== undefined) this.#readToItsEnd(message, reading);
    this.#empty.delete(message);
  }

  /** A message of which more may be read now, and how many recipients. */
  due(now: number): { readonly message: ActiveMessage; readonly count: number } | undefined {
    for (const message of this.#empty) return { message, count: this.#nextBatch(message) };
    for (const room of this.#rooms.values()) {
      for (const message of eligible(room)) {
        if (message.isRouting || !this.#isWorthwhile(message, room, now)) continue;
        const count = this.#nextBatch(message);
        if (count > 0) return { message, count };
      }
    }
    return undefined;
  }

  /** When a reading is due that is not due yet; undefined: when a delivery ends. */
  nextMoment(now: number): number | undefined {
    let next: number | undefined;
    for (const room of this.#rooms.values()) {
      for (const message of eligible(room)) {
        const lastAt = this.#readings.get(message)?.lastAt;
        if (lastAt === undefined || this.#share(message, room) <= 0) continue;
        const at = lastAt + room.settings.refillDelayMs;
        if (at > now && (next === undefined || at < next)) next = at;
      }
    }
    return next;
  }

  #isWorthwhile(message: ActiveMessage, room: Room, now: number): boolean {
    const share = this.#share(message, room);
    if (share <= 0) return false;
    const { refillLimit, refillDelayMs } = room.settings;
    return share >= refillLimit || now >= (this.#readings.get(message)?.lastAt ?? 0) + refillDelayMs;
  }

  /** Never more than the message has left. */
  #nextBatch(message: ActiveMessage): number {
    const { recipientLimit, recipientMinimum } = this.#settings;
    const rooms = this.#readings.get(message)?.rooms ?? new Set();
    let share = 0;
    for (const room of rooms) share += this.#share(message, room);
    // what went nowhere so far is a first batch again
    if (rooms.size === 0) share = recipientLimit - this.#total;
    else share = Math.min(share, Math.max(recipientLimit, this.#allRooms) - this.#total);
    const least = Math.max(0, recipientMinimum - message.readCount);
    return Math.min(message.unreadCount, Math.max(least, share));
  }

  /** What a message may still bring into a room; negative where the room is fuller than it should be. */
  #share(message: ActiveMessage, { settings, taken, readers, ahead }: Room): number {
    const left = settings.roomSize - taken;
    if (left >= 0 && message === readers[0]) return left;
    if (ahead.has(message)) return Math.ceil((left + settings.extraRoomSize) / 2);
    return Math.min(0, left);
  }

  #readToItsEnd(message: ActiveMessage, { rooms }: Reading): void {
    this.#readings.delete(message);
    for (const room of rooms) {
      room.readers.splice(room.readers.indexOf(message), 1);
      room.ahead.delete(message);
    }
  }

  #room(transport: string): Room {
    let room = this.#rooms.get(transport);
    if (room === undefined) {
      const settings = this.#settingsOf(transport);
      room = { settings, taken: 0, readers: [], ahead: new Set() };
      this.#rooms.set(transport, room);
      this.#allRooms += settings.roomSize + settings.extraRoomSize;
    }
    return room;
  }
}
