/** What both sides send in a handshake, and the secrets it is encrypted with, kept for as long as the handshake lasts. */
import { type HandshakeMessage, messagesOf } from './handshake-messages.ts';

/** From the client, or to it. */
export type Direction = 'in' | 'out';

/** More than certificates with all their authorities need. */
const maxBytes = 1 << 17;

interface Flight {
  readonly parts: Buffer[];
  length: number;
  secret: Buffer | undefined;
}

const emptyFlight = (): Flight => ({ parts: [], length: 0, secret: undefined });

export class HandshakeRecorder {
  readonly #flights: Readonly<Record<Direction, Flight>> = { in: emptyFlight(), out: emptyFlight() };

  addBytes(direction: Direction, bytes: Buffer): void {
    const flight = this.#flights[direction];
    flight.length += bytes.length;
    if (flight.length <= maxBytes) flight.parts.push(bytes);
  }

  /** A line of the log of keys, as Node writes it. */
  addKeyLine(line: Buffer): void {
    const [, side, hex] =
      /^(CLIENT|SERVER)_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]+ ([0-9a-f]+)/i.exec(line.toString('latin1')) ?? [];
    if (hex !== undefined) this.#flights[side === 'CLIENT' ? 'in' : 'out'].secret = Buffer.from(hex, 'hex');
  }

  /** Up to a bound. */
  bytes(direction: Direction): Buffer {
    return Buffer.concat(this.#flights[direction].parts);
  }

  /** None of what was too much. */
  messages(direction: Direction, cipher: string): readonly HandshakeMessage[] {
    const { length, secret } = this.#flights[direction];
    return length > maxBytes ? [] : messagesOf({ bytes: this.bytes(direction), cipher, secret });
  }
}
