/** The product as its README starts it, in a directory and on a port of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const bin = resolve(dirname(fileURLToPath(import.meta.url)), '../../../bin');

export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

/** Looks until `look` gives something; throws with `what` after 20 s. */
export async function until<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (let turn = 0; turn < 400; turn += 1) {
    const found = await look();
    if (found !== undefined) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

/** Whether a program is there; when not, the test is skipped and says so. */
export function missing(program: string): string | false {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0 ? false : `${program} is not installed`;
}

export class QuickStart {
  readonly directory: string;
  readonly port: number;
  readonly domain = hostname().includes('.') ? hostname() : `${hostname()}.localdomain`;
  output = '';
  #child: ChildProcess | undefined;

  private constructor(directory: string, port: number) {
    this.directory = directory;
    this.port = port;
  }

  /** `settings`: lines for `postconf -e`, set before the start that is used. */
  static async start(settings: readonly string[] = []): Promise<QuickStart> {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-e2e-'));
    chmodSync(directory, 0o755);
    const server = new QuickStart(directory, await freePort());
    await server.start();
    if (settings.length === 0) return server;
    await server.stop();
    server.command('postconf', ['-e', ...settings]);
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const args = ['quick-start', '--directory', this.directory, '--port', String(this.port)];
    const child = spawn(`${bin}/posthorn`, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const begin = this.output.length;
    const read = (chunk: Buffer): void => {
      this.output += chunk.toString('utf8');
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    await until('the server to listen', () => {
      if (child.exitCode !== null) throw new Error(`the server ended: ${this.output.slice(begin)}`);
      return this.output.includes('Posthorn listens on', begin) ? true : undefined;
    });
  }

  /** Ends it as Ctrl-C does; gives the exit status. */
  stop(signal: NodeJS.Signals = 'SIGINT'): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve(null);
    return new Promise((done) => {
      child.once('exit', (code) => done(code));
      child.kill(signal);
    });
  }

  async remove(): Promise<void> {
    await this.stop('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** Runs one of the commands on this server's configuration. Throws when it fails. */
  command(name: string, args: readonly string[], input = ''): string {
    const env = { ...process.env, MAIL_CONFIG: `${this.directory}/etc` };
    const ran = spawnSync(`${bin}/${name}`, args, { env, input, encoding: 'utf8', timeout: 30_000 });
    if (ran.status !== 0) throw new Error(`${name} ${args.join(' ')}: ${ran.stderr}${ran.stdout}`);
    return ran.stdout;
  }

  /** Messages in the Maildir of a user. */
  mailOf(user: string): readonly string[] {
    const box = `${this.directory}/mail/${user}/new`;
    if (!existsSync(box)) return [];
    return readdirSync(box).map((name) => readFileSync(`${box}/${name}`, 'utf8'));
  }

  arrived(user: string, count = 1): Promise<readonly string[]> {
    return until(`${count} messages for ${user}`, () => {
      const mail = this.mailOf(user);
      return mail.length >= count ? mail : undefined;
    });
  }

  logged(text: string | RegExp): Promise<true> {
    return until(`the log to say ${String(text)}`, () =>
      (typeof text === 'string' ? this.output.includes(text) : text.test(this.output)) ? true : undefined,
    );
  }
}
