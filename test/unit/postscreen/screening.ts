/** postscreen on a port of its own, with a server behind it that says what it was given. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSettings } from '#config';
import type { DnsAnswer, Resolver } from '#dns';
import { type MailEvent, renderPostfixText } from '#events';
import { compilePostscreenSettings, createPostscreen, type PostscreenServer } from '#postscreen';
import { TableOpener } from '#tables';

export interface Setup {
  readonly mainCf?: string;
  /** Answers of DNS lists, by their domain; without one the name is not there. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
  /** Also the time of the cache. */
  readonly now?: () => number;
  /** How long the greeting waits. */
  readonly greetWaitMs?: number;
  /** The cache is a file, as it usually is. */
  readonly hasCacheFile?: boolean;
  /** The server behind it. */
  readonly handOver?: typeof serve;
}

export class Screening {
  /** Log lines; ports are `P`. */
  readonly log: string[] = [];
  readonly port: number;
  readonly #listener: Server;
  readonly #postscreen: PostscreenServer;
  readonly #directory: string;

  private constructor(listener: Server, postscreen: PostscreenServer, directory: string, log: string[]) {
    const address = listener.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
    this.#listener = listener;
    this.#postscreen = postscreen;
    this.#directory = directory;
    this.log = log;
  }

  static async start({
    mainCf = '',
    lists = {},
    now = Date.now,
    greetWaitMs = 30,
    hasCacheFile = false,
    handOver = serve,
  }: Setup = {}): Promise<Screening> {
    const directory = mkdtempSync(join(tmpdir(), 'postscreen-'));
    const base = 'compatibility_level = 3.11\nmyhostname = mail.example.com\nsmtpd_banner = mail.example.com ESMTP\n';
    const own = `mynetworks = 192.0.2.0/24\npostscreen_cache_map = ${hasCacheFile ? `btree:${directory}/` : 'internal:'}cache\n`;
    writeFileSync(join(directory, 'main.cf'), `${base}${own}${mainCf}\n`);
    const { settings } = openSettings(directory);
    const log: string[] = [];
    const events = { emit: (event: MailEvent): void => void log.push(withoutPort(renderPostfixText(event))) };
    const tables = new TableOpener({
      settings,
      configDirectory: directory,
      warn: (text) => events.emit({ kind: 'warning', text }),
    });
    const postscreen = createPostscreen({
      settings: {
        ...compilePostscreenSettings(settings, tables),
        greetWaitMs: { normal: greetWaitMs, stressed: greetWaitMs },
      },
      resolver: listResolver(lists),
      events,
      dnsblogEvents: events,
      now,
      handOver,
      waitingForServer: () => 0,
      tls: undefined,
    });
    const listener = createServer({ allowHalfOpen: true }, (socket) => postscreen.accept(socket));
    await new Promise<void>((done) => listener.listen(0, '127.0.0.1', done));
    return new Screening(listener, postscreen, directory, log);
  }

  /** Talks: each step is sent once the last line of what came ends a reply; and hangs up after the last, and after `meanwhile`; gives all that came. */
  talk(steps: readonly string[], early = '', meanwhile = async (): Promise<void> => {}): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      let heard = '';
      let next = 0;
      if (early !== '') socket.write(early);
      socket.on('data', (bytes: Buffer) => {
        heard += bytes.toString('latin1');
        if (!/(?:^|\n)\d{3} [^\n]*\n$/.test(heard)) return;
        const step = steps[next];
        next += 1;
        if (step === undefined) void meanwhile().finally(() => socket.end());
        else socket.write(step);
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(heard));
    });
  }

  /** Resolves when no client is left. */
  drained(): Promise<void> {
    return this.#postscreen.drain();
  }

  async stop(): Promise<void> {
    this.#listener.close();
    await this.#postscreen.drain();
    rmSync(this.#directory, { recursive: true });
  }
}

/** The real server: greets, repeats the first thing it hears, and ends. */
function serve(socket: NodeJS.ReadWriteStream, { early }: { readonly early: Buffer }): void {
  socket.write('220 served\r\n');
  const answer = (bytes: Buffer): void => void socket.end(`250 heard ${bytes.toString('latin1')}`);
  if (early.length > 0) answer(early);
  else socket.once('data', answer);
}

function withoutPort(line: string): string {
  return line.replaceAll(/\]:\d+/g, ']:P');
}

function listResolver(lists: Readonly<Record<string, readonly string[]>>): Resolver {
  return {
    lookup: async (name): Promise<DnsAnswer> => {
      const [domain] = Object.keys(lists).filter((each) => name === `1.0.0.127.${each}`);
      const addresses = domain === undefined ? undefined : lists[domain];
      if (addresses === undefined) return { kind: 'noName', reason: 'not there', ttl: 77 };
      const records = addresses.map((address) => ({ type: 'A' as const, name, ttl: 120, address }));
      return { kind: 'ok', records, secure: false, canonicalName: name };
    },
  };
}
