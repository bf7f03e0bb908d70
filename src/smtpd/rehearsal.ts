/**
 * A conversation without a connection: the session that serves real clients, with one that is only described, over a
 * stream in memory. `posthorn explain` asks it what a client would be answered.
 */
import { duplexPair, type Duplex } from 'node:stream';
import type { TlsFacts } from '#message';
import { ReplyLines, type ReplyText, Turn } from '#smtp';
import { Anvil } from './anvil.ts';
import type { SmtpServerOptions } from './server.ts';
import type { ClientFacts } from './session-state.ts';
import { Session } from './session.ts';

export interface RehearsedClient {
  readonly address: string;
  /** The forward-confirmed name; `unknown`: it has none; undefined: it is looked up as for a real client. */
  readonly name: string | undefined;
  /** Name of the address, confirmed or not; as `name` when undefined. */
  readonly reverseName: string | undefined;
  readonly port: string;
  readonly serverAddress: string;
  readonly serverPort: string;
  /** The session is encrypted. */
  readonly isEncrypted: boolean;
  /** Who logged in; '' when nobody did. */
  readonly login: string;
}

/** What the client does in a conversation. */
export interface Dialogue {
  /** Sends a line and gives the reply; undefined once the server has hung up. */
  say(line: string): Promise<ReplyText | undefined>;
  /** Sends content as DATA wants it, dots doubled and with its end mark, and gives the reply. */
  sayContent(content: Buffer): Promise<ReplyText | undefined>;
}

export type Conversation = (
  greeting: ReplyText | undefined,
  dialogue: Dialogue,
  client: { readonly name: string; readonly reverseName: string },
) => Promise<void>;

/** What most sessions are encrypted with. */
const describedTls: TlsFacts = {
  protocol: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  keyBits: 256,
  serverName: '',
  peer: undefined,
};

/** The client as a session knows one that has connected. */
function factsOf({ name, reverseName = name, address, port, serverAddress, serverPort }: RehearsedClient): ClientFacts {
  const status = (given: string | undefined): 'ok' | 'unknown' =>
    given === undefined || given === 'unknown' ? 'unknown' : 'ok';
  return {
    name: name ?? 'unknown',
    nameStatus: status(name),
    reverseName: reverseName ?? 'unknown',
    reverseNameStatus: status(reverseName),
    address,
    port,
    heloName: '',
    protocol: '',
    connectedFrom: address,
    serverAddress,
    serverPort,
  };
}

/** Runs a session until the conversation is over. Nothing waits: no delays for errors. */
export async function rehearse(
  options: SmtpServerOptions,
  described: RehearsedClient,
  converse: Conversation,
): Promise<void> {
  const { settings, events, now } = options;
  const [near, far] = duplexPair();
  const anvil = new Anvil({
    rateTimeUnitMs: settings.rateTimeUnitMs,
    statusUpdateMs: settings.anvilStatusUpdateMs,
    idleMs: settings.rateTimeUnitMs,
    events,
    now,
  });
  const looksNamesUp = described.name === undefined && settings.peernameLookup;
  const session = new Session(near, factsOf(described), {
    ...options,
    settings: { ...settings, errorSleepMs: 0, peernameLookup: looksNamesUp },
    anvil,
    turn: new Turn(),
    isStandAlone: false,
    knownUser: described.login,
  });
  if (described.isEncrypted) session.tls = describedTls;
  const running = session.run();
  const replies = new ReplyReader(far);
  const exchange = (bytes: string | Buffer): Promise<ReplyText | undefined> => {
    if (!far.destroyed && far.writable) far.write(bytes);
    return replies.next();
  };
  try {
    const greeting = await replies.next();
    await converse(
      greeting,
      {
        say: (line) => exchange(`${line}\r\n`),
        sayContent: (content) => exchange(content),
      },
      session.client,
    );
  } finally {
    far.end();
    await running;
    far.destroy();
  }
}

/** Of a reply's line so many bytes are shown. */
const longestLine = 4096;

/** Replies as they come from the server's end of the stream. */
class ReplyReader {
  readonly #input = new ReplyLines(longestLine);
  #lines: string[] = [];
  readonly #waiting: ReplyText[] = [];
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex) {
    const over = (): void => {
      this.#isOver = true;
      this.#wake?.();
    };
    stream.on('data', (bytes: Buffer) => {
      this.#input.feed(bytes, (line) => this.#take(line));
      this.#wake?.();
    });
    stream.on('end', over);
    stream.on('close', over);
    stream.on('error', over);
  }

  #take(line: string): void {
    this.#lines.push(line.slice(4));
    if (line.charAt(3) === '-') return;
    this.#waiting.push({ code: Number(line.slice(0, 3)), lines: this.#lines });
    this.#lines = [];
  }

  /** The next reply; undefined when there will be none. */
  async next(): Promise<ReplyText | undefined> {
    while (this.#waiting.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#waiting.shift();
  }
}
