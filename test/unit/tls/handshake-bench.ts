/** Handshakes with the TLS that a main.cf asks for, over real sockets. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { openSettings } from '#config';
import { type MailEvent, renderPostfixText } from '#events';
import { TableOpener } from '#tables';
import {
  type Accepted,
  logAccepted,
  logHandshakeStart,
  openServerTls,
  readKeyFiles,
  type ServerTls,
  smtpdParameters,
  watchOf,
} from '#tls';

/** Key and certificate of `mail.example.com`, signed by itself. */
export const chain = resolve(import.meta.dirname, '../../e2e/support/test-only-key-and-certificate.pem');
export const asClient: ConnectionOptions = { key: readFileSync(chain), cert: readFileSync(chain) };

/** The same with an RSA key, of `rsa.example.com`. */
const rsaPath = resolve(import.meta.dirname, 'test-only-rsa-key-and-certificate.pem');
const rsaPem = readFileSync(rsaPath);
export const asRsaClient: ConnectionOptions = { key: rsaPem, cert: rsaPem };

/** A key, its certificate, the two authorities between it and the last, and the last; as a client that shows all but that. */
export const deepChain = resolve(import.meta.dirname, 'test-only-deep-chain.pem');
const deepPem = readFileSync(deepChain, 'latin1');
export const deepRoot = deepPem.slice(deepPem.lastIndexOf('-----BEGIN'));
export const asDeepClient: ConnectionOptions = { key: deepPem, cert: deepPem.slice(0, -deepRoot.length) };

export class HandshakeBench {
  readonly log: string[] = [];
  readonly directory = mkdtempSync(join(tmpdir(), 'handshakes-'));
  tls: ServerTls | undefined;
  /** What the last client may go on with. */
  session: Buffer | undefined;
  readonly #events = { emit: (event: MailEvent): void => void this.log.push(renderPostfixText(event)) };

  /** `$chain`, `$rsa` and `$directory` stand for what they are called. */
  static async open(mainCf: string): Promise<HandshakeBench> {
    const bench = new HandshakeBench();
    const { directory } = bench;
    const text = `compatibility_level = 3.11\nsmtpd_tls_security_level = may\nsmtpd_tls_chain_files = $chain\n${mainCf}\n`;
    const main = text.replaceAll('$chain', chain).replaceAll('$rsa', rsaPath).replaceAll('$directory', directory);
    writeFileSync(join(directory, 'main.cf'), main);
    const { settings } = openSettings(directory);
    const warn = (warning: string): void => bench.#events.emit({ kind: 'warning', text: warning });
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    const service = { settings, names: smtpdParameters };
    const files = readKeyFiles([service], (spec) => tables.open(spec));
    bench.tls = await openServerTls({ ...service, tables, files, events: bench.#events, now: () => Date.now() });
    return bench;
  }

  /** One handshake; what a client that fails says is of no interest. */
  async shake(client: ConnectionOptions = {}): Promise<Accepted> {
    let other: TLSSocket | undefined;
    let secured: Promise<unknown> = Promise.resolve();
    const accepted = await this.meet((port) => {
      other = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...client });
      secured = new Promise((done) => other?.once('secureConnect', done));
      return other;
    });
    if (accepted.kind === 'accepted') {
      await secured;
      this.session = other?.getSession();
      accepted.stream.destroy();
    }
    other?.destroy();
    return accepted;
  }

  /** One client, whatever it does. */
  async meet(come: (port: number) => Socket): Promise<Accepted> {
    const { tls } = this;
    const { acceptor } = tls ?? {};
    if (tls === undefined || acceptor === undefined) throw new Error(`no TLS: ${this.log.join('; ')}`);
    const log = { events: this.#events, tls, client: 'client[192.0.2.1]', level: await tls.logLevels.of(clientFacts) };
    // as the services of the system have it: clients may say QUIT and all before they read
    const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const address = listener.address();
    const arrival = new Promise<Socket>((done) => listener.once('connection', done));
    come(typeof address === 'object' && address !== null ? address.port : 0).on('error', () => undefined);
    const socket = await arrival;
    logHandshakeStart(log);
    const accepted = await acceptor.accept(socket, 10_000, watchOf(log));
    if (accepted.kind === 'accepted') logAccepted(log, accepted);
    listener.close();
    return accepted;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}

const clientFacts = { name: 'client.example.net', address: '192.0.2.1' };

/** A bench for the time of a test. */
export async function withTls(mainCf: string, use: (bench: HandshakeBench) => Promise<void>): Promise<void> {
  const bench = await HandshakeBench.open(mainCf);
  try {
    await use(bench);
  } finally {
    bench.remove();
  }
}
