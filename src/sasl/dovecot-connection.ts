/** A connection to Dovecot's login server: its greeting, and the requests that wait for an answer. */
import type { Socket } from 'node:net';
import { errnoText } from '#native';
import { type Greeting, readAnswer, readGreeting } from './dovecot-lines.ts';
import type { Offer, SaslStep } from './login-server.ts';

/** As long as Postfix waits. */
const replyWithinMs = 10_000;
const maxBuffered = 1 << 20;

interface Waiting {
  readonly settle: (step: SaslStep) => void;
  readonly timer: NodeJS.Timeout;
}

export const lost: SaslStep & { readonly kind: 'refused' } = {
  kind: 'refused',
  reason: 'Connection lost to authentication server',
  isTemporary: true,
};

export const noMechanisms = 'no SASL authentication mechanisms';

const unreachable = (warning: string | undefined): Offer => ({
  kind: 'unreachable',
  warnings: warning === undefined ? [] : [warning],
  fatal: noMechanisms,
});

export class DovecotConnection {
  readonly offer: Promise<Offer>;
  readonly #socket: Socket;
  readonly #waiting = new Map<string, Waiting>();
  readonly #greeting: Greeting = { mechanisms: [], isDone: false };
  readonly #greetingTimer: NodeJS.Timeout;
  readonly #settleOffer: (offer: Offer) => void;
  readonly #warn: (text: string) => void;
  #text = '';
  #lastId = 0;
  #isClosed = false;
  #isRetired = false;

  /** `name`: of the socket, as the configuration has it. */
  constructor(socket: Socket, name: string, warn: (text: string) => void) {
    this.#socket = socket;
    this.#warn = warn;
    const { promise, resolve } = Promise.withResolvers<Offer>();
    this.offer = promise;
    this.#settleOffer = resolve;
    this.#greetingTimer = setTimeout(() => this.#fail(undefined), replyWithinMs);
    socket.setEncoding('utf8');
    let isConnected = false;
    socket.on('connect', () => {
      isConnected = true;
      socket.write(`VERSION\t1\t2\nCPID\t${process.pid}\n`);
    });
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => {
      const warning = `SASL: Connect to Dovecot auth socket '${name}' failed: ${errnoText(error)}`;
      this.#settleOffer(unreachable(isConnected ? undefined : warning));
    });
    socket.on('close', () => this.#end());
  }

  /** Whether new requests may be sent. */
  get isUsable(): boolean {
    return !this.#isClosed && !this.#isRetired;
  }

  newId(): string {
    this.#lastId += 1;
    return String(this.#lastId);
  }

  /** Sends a request and gives the answer to it; that the connection is lost, when none comes in time. */
  ask(id: string, line: string): Promise<SaslStep> {
    if (this.#isClosed) return Promise.resolve(lost);
    return new Promise((settle) => {
      const timer = setTimeout(() => this.#onTimeout(id), replyWithinMs);
      this.#waiting.set(id, { settle, timer });
      this.say(line);
    });
  }

  say(line: string): void {
    if (!this.#isClosed) this.#socket.write(`${line}\n`);
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    if (this.#text.length > maxBuffered) this.#socket.destroy();
    for (const line of lines) this.#onLine(line.split('\t'));
  }

  #onLine(fields: readonly string[]): void {
    if (this.#greeting.isDone) return this.#onAnswer(fields);
    const problem = readGreeting(this.#greeting, fields);
    if (problem !== undefined) return this.#fail(problem);
    if (!this.#greeting.isDone) return;
    clearTimeout(this.#greetingTimer);
    this.#settleOffer({ kind: 'mechanisms', mechanisms: this.#greeting.mechanisms });
    // nothing holds the program open while nobody logs in
    this.#socket.unref();
  }

  #onAnswer([verb = '', id, ...fields]: readonly string[]): void {
    const step = readAnswer(verb, fields);
    if (step === undefined) return;
    if (id === undefined) this.#warn('SASL: Protocol error');
    else this.#settle(id, step);
  }

  /** A server that leaves one request unanswered is given no other; those under way may still be answered. */
  #onTimeout(id: string): void {
    this.#isRetired = true;
    this.#settle(id, lost);
  }

  #settle(id: string, step: SaslStep): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    clearTimeout(waiting?.timer);
    waiting?.settle(step);
    if (this.#isRetired && this.#waiting.size === 0) this.#socket.destroy();
  }

  #fail(warning: string | undefined): void {
    this.#settleOffer(unreachable(warning));
    this.#socket.destroy();
    this.#isClosed = true;
  }

  #end(): void {
    this.#isClosed = true;
    clearTimeout(this.#greetingTimer);
    this.#settleOffer(unreachable(undefined));
    for (const id of this.#waiting.keys()) this.#settle(id, lost);
  }
}
