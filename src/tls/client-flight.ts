/** What a client sends in a handshake, and the secret it is encrypted with, kept for as long as the handshake lasts. */
import { type HandshakeMessage, messagesOf } from './handshake-messages.ts';

/** More than certificates with all their authorities need. */
const maxBytes = 1 << 17;

export class FlightRecorder {
  readonly #parts: Buffer[] = [];
  #length = 0;
  #secret: Buffer | undefined;

  addBytes(bytes: Buffer): void {
    this.#length += bytes.length;
    if (this.#length <= maxBytes) this.#parts.push(bytes);
  }

  /** A line of the log of keys, as Node writes it. */
  addKeyLine(line: Buffer): void {
    const [, hex] = /^CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]+ ([0-9a-f]+)/i.exec(line.toString('latin1')) ?? [];
    if (hex !== undefined) this.#secret = Buffer.from(hex, 'hex');
  }

  /** None of what was too much. */
  messages(cipher: string): readonly HandshakeMessage[] {
    if (this.#length > maxBytes) return [];
    return messagesOf({ bytes: Buffer.concat(this.#parts), cipher, secret: this.#secret });
  }
}
