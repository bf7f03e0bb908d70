import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { withBench } from './bench.ts';

/** A policy server that remembers its connections and what came over them. */
class PolicyServer {
  readonly requests: ReadonlyMap<string, string>[] = [];
  connections = 0;
  port = 0;
  /** The action; undefined: the connection is closed instead. */
  answer: (request: ReadonlyMap<string, string>, nth: number) => string | undefined | Promise<string | undefined> =
    () => 'DUNNO';
  /** What is said before that. */
  lastWords = '';
  readonly #sockets = new Set<Socket>();
  readonly #server: Server = createServer((socket) => this.#serve(socket));

  async listen(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    const address = this.#server.address();
    this.port = typeof address === 'object' && address !== null ? address.port : 0;
  }

  reset(): void {
    this.requests.length = 0;
    this.connections = 0;
    this.answer = () => 'DUNNO';
    this.lastWords = '';
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #serve(socket: Socket): void {
    this.connections += 1;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('utf8');
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        void this.#reply(
          socket,
          new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
        );
      }
    });
  }

  async #reply(socket: Socket, request: ReadonlyMap<string, string>): Promise<void> {
    this.requests.push(request);
    const action = await this.answer(request, this.requests.length);
    if (action === undefined) {
      socket.end(this.lastWords);
      return;
    }
    const bytes = Buffer.from(`action=${action}\n\n`);
    const beyondAscii = bytes.findIndex((byte) => byte > 0x7f);
    socket.write(bytes.subarray(0, beyondAscii + 1));
    // a character may come in two pieces
    if (beyondAscii >= 0) await new Promise((resolve) => setTimeout(resolve, 20));
    socket.write(bytes.subarray(beyondAscii + 1));
  }
}

describe('check_policy_service', () => {
  const server = new PolicyServer();
  before(() => server.listen());
  after(() => server.close());
  const asking = (attributes = ''): string =>
    attributes === ''
      ? `smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:${server.port}`
      : `smtpd_recipient_restrictions = check_policy_service { inet:127.0.0.1:${server.port}, ${attributes} }`;

  it('keeps its connection also where a table names the class that asks', async () => {
    server.reset();
    const settings = `smtpd_restriction_classes = asking
asking = check_policy_service inet:127.0.0.1:${server.port}
smtpd_recipient_restrictions = check_recipient_access inline:{example.com=asking}`;
    await withBench(settings, async (bench) => {
      const recipients = ['a@example.com', 'b@example.com', 'c@example.com'];
      assert.deepEqual(await bench.recipients(...recipients), ['ok', 'ok', 'ok']);
      assert.equal(server.requests.length, 3);
      assert.equal(server.connections, 1);
    });
  });

  it('keeps its connection, and does what the server says', async () => {
    server.reset();
    server.answer = (request) => (request.get('recipient') === 'bad@example.com' ? '450 4.7.9 not now' : 'OK');
    await withBench(asking(), async (bench) => {
      assert.deepEqual(await bench.recipients('a@example.com', 'bad@example.com'), [
        'ok',
        '450 4.7.9 <bad@example.com>: Recipient address rejected: not now',
      ]);
      assert.equal(server.connections, 1);
    });
  });

  it('asks for several sessions at a time', async () => {
    server.reset();
    let release: () => void = () => {};
    const all = new Promise<void>((resolve) => {
      release = resolve;
    });
    server.answer = async (_, nth) => {
      if (nth === 3) release();
      await all;
      return 'DUNNO';
    };
    await withBench(asking(), async (bench) => {
      const replies = await Promise.all(
        ['a', 'b', 'c'].map((user) => bench.ask('rcpt', { recipient: `${user}@example.com` })),
      );
      assert.deepEqual(replies, ['ok', 'ok', 'ok']);
      assert.equal(server.connections, 3);
    });
  });

  it('opens another connection after so many requests, or after so long', async () => {
    server.reset();
    await withBench(asking('request_limit=2'), async (bench) => {
      await bench.recipients('a@example.com', 'b@example.com', 'c@example.com');
      assert.equal(server.connections, 2);
    });
    server.reset();
    await withBench(asking('max_ttl=0'), async (bench) => {
      await bench.recipients('a@example.com', 'b@example.com');
      assert.equal(server.connections, 2);
    });
  });

  it('tries again when a connection breaks, and tells of the last try only', async () => {
    server.reset();
    server.answer = (_, nth) => (nth === 1 ? undefined : 'REJECT');
    await withBench(asking('try_limit=2, retry_delay=0'), async (bench) => {
      assert.match(await bench.ask('rcpt'), /^554 5\.7\.1/);
      assert.deepEqual(
        bench.log.filter((line) => line.startsWith('warning')),
        [],
      );
      server.answer = () => undefined;
      assert.match(await bench.ask('rcpt'), /^451 4\.3\.5 .*Server configuration problem$/);
      assert.deepEqual(
        bench.log.filter((line) => line.startsWith('warning')),
        [`warning: problem talking to server 127.0.0.1:${server.port}: Application error`],
      );
    });
  });

  it('tells where a reply broke off', async () => {
    for (const [lastWords, part] of [
      ['act', 'name'],
      ['action=REJ', 'value'],
      ['action=REJECT\n', 'name'],
    ] as const) {
      server.reset();
      server.answer = () => undefined;
      server.lastWords = lastWords;
      await withBench(asking('try_limit=1'), async (bench) => {
        await bench.ask('rcpt');
        const name = `127.0.0.1:${server.port}`;
        assert.deepEqual(bench.log.slice(0, 2), [
          `warning: premature end-of-input on ${name} while reading input attribute ${part}`,
          `warning: problem talking to server ${name}: Application error`,
        ]);
      });
    }
  });

  it('has a default action, a time limit and a context of its own', async () => {
    server.reset();
    server.answer = () => new Promise(() => {});
    await withBench(
      asking('timeout=1s, try_limit=1, policy_context = here, { default_action = 450 4.7.8 asleep }'),
      async (bench) => {
        assert.match(await bench.ask('rcpt'), /^450 4\.7\.8 .*: asleep$/);
        assert.equal(server.requests[0]?.get('policy_context'), 'here');
        assert.match(bench.log[0] ?? '', /Connection timed out$/);
      },
    );
  });

  it('tells what is known of the session, and of ETRN the domain only', async () => {
    server.reset();
    await withBench(
      `${asking()}\nsmtpd_etrn_restrictions = check_policy_service inet:127.0.0.1:${server.port}`,
      async (bench) => {
        await bench.ask('rcpt', {
          saslUsername: 'joe',
          saslMethod: 'XCLIENT',
          sizeBytes: 77,
          recipientCount: 3,
        });
        await bench.ask('etrn', { sender: undefined, etrnDomain: 'example.com' });
        const [rcpt, etrn] = server.requests;
        const of = (request: ReadonlyMap<string, string> | undefined): readonly (string | undefined)[] =>
          ['protocol_state', 'recipient', 'recipient_count', 'size', 'sasl_method', 'sasl_username', 'etrn_domain'].map(
            (name) => request?.get(name),
          );
        assert.deepEqual(of(rcpt), ['RCPT', 'b@example.com', '0', '77', 'XCLIENT', 'joe', '']);
        assert.deepEqual(of(etrn), ['ETRN', '', '0', '0', '', '', 'example.com']);
      },
    );
  });

  it('is told one attribute a line, whatever is in it', async () => {
    server.reset();
    await withBench(asking(), async (bench) => {
      await bench.ask('rcpt', { sender: '"a\rsasl_username=root\nsize=0\0"@example.com' });
      assert.equal(server.requests[0]?.get('sender'), '"a?sasl_username=root?size=0?"@example.com');
    });
  });

  it('is understood when a character comes in two pieces', async () => {
    server.reset();
    server.answer = () => '450 später';
    await withBench(asking(), async (bench) => {
      assert.deepEqual(await bench.recipients('a@example.com'), [
        '450 4.7.1 <a@example.com>: Recipient address rejected: später',
      ]);
    });
  });

  it('talks over a socket in the file system, too', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'policy-'));
    const unix = createServer((socket) => {
      socket.on('data', () => socket.end('action=REJECT by file\n\n'));
    });
    await new Promise<void>((done) => unix.listen(`${directory}/policy`, done));
    try {
      const setting = `queue_directory = ${directory}\nsmtpd_recipient_restrictions = check_policy_service unix:policy`;
      await withBench(setting, async (bench) => assert.match(await bench.ask('rcpt'), /by file$/));
    } finally {
      unix.close();
      rmSync(directory, { recursive: true });
    }
  });

  it('refuses for now when it is misspelt', async () => {
    await withBench(asking('timout=1s'), async (bench) => {
      assert.equal(await bench.ask('rcpt'), '451 4.3.5 Server configuration error');
      assert.match(bench.log[0] ?? '', /unknown attribute in "timout=1s"$/);
    });
    await withBench('smtpd_recipient_restrictions = check_policy_service', async (bench) => {
      assert.equal(await bench.ask('rcpt'), '451 4.3.5 Server configuration error');
      assert.equal(bench.log[0], 'warning: restriction check_policy_service must be followed by transport:server');
    });
  });
});
