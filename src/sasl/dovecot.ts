/** A client of Dovecot's login server, over a unix socket or TCP: its "authentication protocol", version 1. */
import { connect, type Socket } from 'node:net';
import type { Exchange, LoginServer, Mechanism, MechanismTrait, SaslRequest, SaslStep } from './login-server.ts';

const replyWithinMs = 300_000;
const maxBuffered = 1 << 20;

/** Names of the protocol → our traits. A mechanism has `noX` unless the server says `X`. */
const weaknesses: Readonly<Record<string, MechanismTrait>> = {
  anonymous: 'noanonymous',
  plaintext: 'noplaintext',
  dictionary: 'nodictionary',
  active: 'noactive',
};
const strengths: Readonly<Record<string, MechanismTrait>> = {
  'forward-secrecy': 'forward_secrecy',
  'mutual-auth': 'mutual_auth',
};

const unreachable: SaslStep = {
  kind: 'refused',
  reason: 'Connection lost to authentication server',
  user: '',
  isTemporary: true,
};

/** A tab, a line end or a null byte would end a field: what has one is no value. */
const isField = (text: string): boolean => !/[\t\r\n\0]/.test(text);

function mechanismOf(name: string, words: readonly string[]): Mechanism {
  const traits = new Set<MechanismTrait>(Object.values(weaknesses));
  for (const word of words) {
    const weakness = weaknesses[word];
    const strength = strengths[word];
    if (weakness !== undefined) traits.delete(weakness);
    if (strength !== undefined) traits.add(strength);
  }
  return { name: name.toUpperCase(), traits };
}

function stepOf(verb: string, fields: readonly string[]): SaslStep {
  if (verb === 'CONT') return { kind: 'challenge', text: fields[0] ?? '' };
  const value = (name: string): string =>
    fields.find((field) => field.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
  if (verb === 'OK') return { kind: 'authenticated', user: value('user') };
  const isTemporary = fields.includes('temp') || value('code') === 'temp_fail';
  return { kind: 'refused', reason: value('reason'), user: value('user'), isTemporary };
}

/** One connection, with its handshake and the requests that wait for an answer. */
class Connection {
  readonly ready: Promise<readonly Mechanism[] | undefined>;
  isClosed = false;
  readonly #socket: Socket;
  readonly #mechanisms: Mechanism[] = [];
  readonly #waiting = new Map<string, (step: SaslStep) => void>();
  #text = '';
  #next = 0;
  #settleReady: (mechanisms: readonly Mechanism[] | undefined) => void;

  constructor(socket: Socket) {
    this.#socket = socket;
    const { promise, resolve } = Promise.withResolvers<readonly Mechanism[] | undefined>();
    this.ready = promise;
    this.#settleReady = resolve;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#end());
    socket.write(`VERSION\t1\t2\nCPID\t${process.pid}\n`);
    socket.setTimeout(
      replyWithinMs,
      () => (this.#waiting.size > 0 || this.#mechanisms.length === 0) && socket.destroy(),
    );
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    if (this.#text.length > maxBuffered) this.#socket.destroy();
    for (const line of lines) this.#onLine(line.split('\t'));
  }

  #onLine([verb = '', ...fields]: readonly string[]): void {
    const [id = '', ...rest] = fields;
    switch (verb) {
      case 'VERSION':
        if (id !== '1') this.#socket.destroy();
        break;
      case 'MECH':
        if (!rest.includes('private')) this.#mechanisms.push(mechanismOf(id, rest));
        break;
      case 'DONE':
        this.#settleReady(this.#mechanisms);
        // nothing holds the program open while nobody logs in
        this.#socket.unref();
        break;
      case 'OK':
      case 'FAIL':
      case 'CONT':
        this.#settle(id, stepOf(verb, rest));
        break;
      default:
    }
  }

  #settle(id: string, step: SaslStep): void {
    const settle = this.#waiting.get(id);
    this.#waiting.delete(id);
    settle?.(step);
  }

  #end(): void {
    this.isClosed = true;
    this.#settleReady(undefined);
    for (const id of this.#waiting.keys()) this.#settle(id, unreachable);
  }

  newId(): string {
    this.#next += 1;
    return String(this.#next);
  }

  ask(id: string, line: string): Promise<SaslStep> {
    if (this.isClosed) return Promise.resolve(unreachable);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.write(`${line}\n`);
    });
  }

  say(line: string): void {
    if (!this.isClosed) this.#socket.write(`${line}\n`);
  }
}

export class DovecotServer implements LoginServer {
  readonly #path: string;
  #connection: Connection | undefined;

  /** `path`: `inet:HOST:PORT`, or of a unix socket, absolute. postconf(5) smtpd_sasl_path */
  constructor(path: string) {
    this.#path = path;
  }

  mechanisms(): Promise<readonly Mechanism[] | undefined> {
    return this.#connected().ready;
  }

  #connected(): Connection {
    if (this.#connection === undefined || this.#connection.isClosed) {
      const [, host = '', port = ''] = /^inet:(.*):(\w+)$/.exec(this.#path) ?? [];
      const path = this.#path.replace(/^unix:/, '');
      const socket = host === '' ? connect(path) : connect(Number(port), host.replace(/^\[(.*)\]$/, '$1'));
      this.#connection = new Connection(socket);
    }
    return this.#connection;
  }

  open({ mechanism, service, localAddress, remoteAddress, isSecured, initialResponse }: SaslRequest): Exchange {
    const connection = this.#connected();
    const id = connection.newId();
    const start = async (): Promise<SaslStep> => {
      if ((await connection.ready) === undefined) return unreachable;
      const secured = isSecured ? '\tsecured' : '';
      // the response has to be the last field
      const response = initialResponse === undefined ? '' : `\tresp=${initialResponse}`;
      const fields = `service=${service}\tnologin\tlip=${localAddress}\trip=${remoteAddress}${secured}${response}`;
      return connection.ask(id, `AUTH\t${id}\t${mechanism}\t${fields}`);
    };
    const badResponse: SaslStep = { kind: 'refused', reason: 'malformed response', user: '', isTemporary: false };
    return {
      start: async () => (isField(initialResponse ?? '') ? start() : badResponse),
      answer: async (response) => (isField(response) ? connection.ask(id, `CONT\t${id}\t${response}`) : badResponse),
      abandon: () => connection.say(`CANCEL\t${id}`),
    };
  }
}
