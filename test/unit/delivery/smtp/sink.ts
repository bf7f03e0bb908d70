/** A scripted SMTP or LMTP server and what a test needs around an agent. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket, type TLSSocketOptions } from 'node:tls';
import { openSettings, type ServiceEntry } from '#config';
import { createSmtpAgent, type SmtpAgentOptions } from '#delivery/smtp';
import type { DnsAnswer, DnsRecord, HostLookup, Resolver } from '#dns';
import { type MailEvent, renderPostfixText } from '#events';
import type { DeliveryRequest, Outcome } from '#message';
import { TableOpener } from '#tables';

const chain = readFileSync(new URL('../../../e2e/support/test-only-key-and-certificate.pem', import.meta.url));

/**
 * Replies by stage: connect, ehlo, secured (EHLO inside TLS), helo, lhlo, starttls, mail, rcpt, data, dot, rset, quit.
 * `close` hangs up, `silence` waits. TLS begins after a `starttls` of 220.
 */
export type Script = Readonly<Record<string, string | ((command: string) => string | undefined)>>;

const defaults: Readonly<Record<string, string>> = {
  connect: '220 sink.example.net ESMTP',
  ehlo: '250-sink.example.net\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 DSN',
  lhlo: '250-sink.example.net\r\n250-PIPELINING\r\n250 8BITMIME',
  helo: '250 sink.example.net',
  mail: '250 2.1.0 Ok',
  rcpt: '250 2.1.5 Ok',
  data: '354 Go on',
  rset: '250 2.0.0 Ok',
  quit: '221 2.0.0 Bye',
  dot: '250 2.0.0 Ok: queued as SINK',
};

export interface SinkOptions {
  readonly host?: string;
  readonly path?: string;
  readonly port?: number;
  /** A key with its certificate, PEM. */
  readonly chain?: Buffer;
  /** TLS begins with the connection. */
  readonly wraps?: boolean;
  /** Further options of its TLS. */
  readonly tls?: TLSSocketOptions;
}

/** Starts a server; `seen` holds commands and content in order. */
export async function startSink(script: Script = {}, where: SinkOptions = {}) {
  const seen: string[] = [];
  const ended = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const isLmtp = script['lmtp'] !== undefined;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      ended.resolve();
    });
    socket.on('error', () => {});
    let stream: Socket = socket;
    const secure = (): void => {
      socket.removeAllListeners('data');
      const { chain: own = chain, tls } = where;
      stream = new TLSSocket(socket, { isServer: true, key: own, cert: own, ...tls });
      stream.on('error', () => {});
      stream.on('data', read);
    };
    const say = (stage: string, command: string): string => {
      const rule = script[stage];
      const reply = (typeof rule === 'function' ? rule(command) : rule) ?? defaults[stage] ?? '500 5.5.1 What?';
      if (reply === 'close') socket.destroy();
      else if (reply !== 'silence') stream.write(`${reply}\r\n`);
      return reply;
    };
    let held = '';
    let inData = false;
    let recipients: string[] = [];
    seen.push('[connect]');
    const read = (chunk: Buffer): void => {
      held += chunk.toString('latin1');
      for (;;) {
        if (inData) {
          const end = held.startsWith('.\r\n') ? 0 : held.indexOf('\r\n.\r\n') + 2;
          if (end === 1) return;
          seen.push(`DATA:${held.slice(0, end)}`);
          held = held.slice(end + 3);
          inData = false;
          if (isLmtp) for (const one of recipients) say('dot', one);
          else say('dot', '');
          continue;
        }
        const end = held.indexOf('\r\n');
        if (end < 0) return;
        const command = held.slice(0, end);
        held = held.slice(end + 2);
        seen.push(command);
        const word = command.split(/[ :]/)[0]?.toLowerCase() ?? '';
        const verb = word === 'ehlo' && stream !== socket ? 'secured' : word;
        if (verb === 'mail') recipients = [];
        const reply = say(verb, command);
        if (verb === 'rcpt' && reply.startsWith('2')) recipients.push(command);
        if (verb === 'data' && reply.startsWith('354')) inData = true;
        if (verb === 'quit') stream.end();
        if (verb !== 'starttls' || !reply.startsWith('220')) continue;
        secure();
      }
    };
    if (where.wraps === true) secure();
    else socket.on('data', read);
    say('connect', '');
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  if (where.path === undefined) server.listen(where.port ?? 0, where.host ?? '127.0.0.1', resolve);
  else server.listen(where.path, resolve);
  await promise;
  const address = server.address();
  return {
    seen,
    /** Resolves when the first connection has ended. */
    ended: () => ended.promise,
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A resolver with its own zone: `name TYPE` to records or a trouble. */
export function zone(
  answers: Readonly<Record<string, readonly DnsRecord[] | Exclude<DnsAnswer['kind'], 'ok'>>>,
): Resolver {
  return {
    lookup(name, type) {
      const found = answers[`${name} ${type}`] ?? 'noName';
      return Promise.resolve(
        typeof found === 'string'
          ? { kind: found, reason: `${found} ${name} ${type}` }
          : { kind: 'ok', records: found, secure: false, canonicalName: name },
      );
    },
  };
}

export const a = (name: string, address: string): DnsRecord => ({ type: 'A', name, ttl: 60, address });
export const mx = (name: string, preference: number, host: string): DnsRecord => ({
  type: 'MX',
  name,
  ttl: 60,
  preference,
  host,
});

const noHosts: HostLookup = {
  addresses: () => Promise.resolve({ kind: 'notFound', reason: 'Name or service not known' }),
  name: () => Promise.resolve({ kind: 'notFound', reason: 'Name or service not known' }),
};

export const service = (args: readonly string[]): ServiceEntry => ({
  name: 'smtp',
  type: 'unix',
  isPrivate: true,
  isUnprivileged: true,
  isChrooted: false,
  wakeupSeconds: 0,
  wakeupOnDemand: false,
  isLimitChosen: true,
  processLimit: 0,
  command: 'smtp',
  args,
  overrides: new Map<string, string>(),
  origin: { file: 'master.cf', line: 1 },
});

/** An agent with main.cf lines of its own, and what it told. */
export function startAgent(
  lines: readonly string[] = [],
  change: Partial<SmtpAgentOptions> & { readonly args?: readonly string[] } = {},
) {
  const directory = mkdtempSync(join(tmpdir(), 'smtp-agent-'));
  // also where no agent can be made
  using whileStarting = new DisposableStack();
  whileStarting.defer(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'main.cf'), ['myhostname = mail.example.com', ...lines, ''].join('\n'));
  const { settings } = openSettings(directory);
  const log: string[] = [];
  const events: MailEvent[] = [];
  const agent = createSmtpAgent({
    settings,
    service: service(change.args ?? []),
    protocol: 'smtp',
    resolver: zone({}),
    searchList: () => ({ search: [], ndots: 1 }),
    hostLookup: noHosts,
    tables: new TableOpener({ settings, configDirectory: directory, warn: (text) => log.push(text) }),
    events: {
      emit(event) {
        events.push(event);
        log.push(renderPostfixText(event).replace(/delays?=[^,]*, /g, ''));
      },
    },
    clock: { now: () => 0 },
    agents: new Map(),
    ...change,
  });
  const files = whileStarting.move();
  return {
    log,
    events,
    async deliver(what: DeliveryRequest) {
      const outcomes: Outcome[] = [];
      const result = await agent.deliver(what, (outcome) => outcomes.push(outcome));
      return { outcomes, ...result };
    },
    async [Symbol.asyncDispose]() {
      await agent.close?.();
      files.dispose();
    },
  };
}
