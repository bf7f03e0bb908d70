/** posthorn explain says what the live server says: the same questions to both, the replies compared. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { bin, freePort, QuickStart } from './support/quick-start.ts';

const execute = promisify(execFile);

interface Case {
  readonly about: string;
  readonly address: string;
  readonly name?: string;
  readonly helo?: string;
  readonly sender?: string;
  readonly recipients: readonly string[];
  readonly login?: string;
}

const cases: readonly Case[] = [
  { about: 'mail for a user here', address: '192.0.2.1', recipients: ['ann@HOST'] },
  { about: 'mail for elsewhere', address: '192.0.2.1', recipients: ['x@elsewhere.example', 'ann@HOST'] },
  { about: 'a client in mynetworks', address: '10.1.2.3', recipients: ['x@elsewhere.example'] },
  { about: 'a login', address: '192.0.2.1', login: 'joe', recipients: ['x@elsewhere.example'] },
  { about: 'a client name in a table', address: '192.0.2.2', name: 'mx.bad.example', recipients: ['ann@HOST'] },
  { about: 'a network in a table', address: '198.51.100.7', recipients: ['ann@HOST', 'bob@HOST'] },
  { about: 'a HELO that a pattern refuses', address: '192.0.2.1', helo: 'evil.example', recipients: ['ann@HOST'] },
  { about: 'a HELO that is none', address: '192.0.2.1', helo: 'evil..example', recipients: ['ann@HOST'] },
  { about: 'a class', address: '192.0.2.1', sender: 'a@strict.example', recipients: ['ann@HOST', 'bob@HOST'] },
  { about: 'warn_if_reject', address: '192.0.2.1', sender: 'a@short', recipients: ['ann@HOST'] },
  { about: 'the null sender', address: '192.0.2.1', sender: '', recipients: ['ann@HOST', 'bob@HOST'] },
  { about: 'what a policy server refuses', address: '192.0.2.1', recipients: ['policy@HOST'] },
  { about: 'what a policy server puts off', address: '192.0.2.1', recipients: ['later@HOST', 'x@elsewhere.example'] },
  { about: 'a refusal at DATA', address: '192.0.2.1', sender: 'data@a.example', recipients: ['ann@HOST', 'bob@HOST'] },
  { about: 'an address that is none', address: '192.0.2.1', recipients: ['ann@@HOST', '"an n"@HOST'] },
  { about: 'a message to throw away', address: '192.0.2.1', recipients: ['discard@HOST'] },
  { about: 'a table that is not there', address: '192.0.2.1', sender: 'a@broken.example', recipients: ['ann@HOST'] },
];

/** A command and the reply to it; of queue IDs only that there is one. */
type Exchange = readonly [command: string, reply: string];

const withoutId = (reply: string): string => reply.replace(/queued as \w+/, 'queued as ID');

/** Holds the conversation with the live server, as the client that XCLIENT describes. */
async function live(port: number, question: Case): Promise<readonly Exchange[]> {
  const { address, name = '[UNAVAILABLE]', helo = 'mx.example', sender = 'a@b.example', recipients, login } = question;
  const socket = connect(port, '127.0.0.1').setEncoding('utf8');
  let text = '';
  let wake: (() => void) | undefined;
  socket.on('data', (chunk: string) => {
    text += chunk;
    wake?.();
  });
  socket.on('close', () => wake?.());
  const reply = async (): Promise<string> => {
    for (;;) {
      const whole = /^(?:\d{3}-.*\r\n)*\d{3} .*\r\n/.exec(text)?.[0];
      if (whole !== undefined) {
        text = text.slice(whole.length);
        return withoutId(whole.replaceAll('\r\n', '\n').trimEnd());
      }
      assert.ok(!socket.destroyed, 'the server hung up');
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const out: Exchange[] = [];
  const say = async (command: string, sent = command): Promise<boolean> => {
    socket.write(`${sent}\r\n`);
    const answer = await reply();
    out.push([command, answer]);
    return !/^[45]/.test(answer);
  };
  try {
    await reply();
    socket.write('EHLO localhost\r\n');
    await reply();
    const user = login === undefined ? '' : ` LOGIN=${login}`;
    if (!(await say('CONNECT', `XCLIENT NAME=${name} ADDR=${address}${user}`))) return out;
    if (!(await say(`EHLO ${helo}`))) return out;
    out.pop();
    if (!(await say(`MAIL FROM:<${sender}>`))) return out;
    let accepted = 0;
    for (const recipient of recipients) if (await say(`RCPT TO:<${recipient}>`)) accepted += 1;
    if (accepted > 0 && (await say('DATA'))) await say('END-OF-MESSAGE', '.');
    return out;
  } finally {
    socket.destroy();
  }
}

interface Explained {
  readonly stages: readonly {
    readonly command: string;
    readonly reply: { readonly code: number; readonly lines: readonly string[] };
  }[];
}

async function explained(directory: string, service: string, question: Case): Promise<readonly Exchange[]> {
  const { address, name = 'unknown', helo = 'mx.example', sender = 'a@b.example', recipients, login } = question;
  const described = Object.entries({ config: directory, service, client: address, name, helo, from: sender, login });
  const { stdout } = await execute(`${bin}/posthorn`, [
    'explain',
    '--json',
    ...described.flatMap(([option, value]) => (value === undefined ? [] : [`--${option}`, value])),
    ...recipients.flatMap((recipient) => ['--to', recipient]),
  ]);
  const { stages }: Explained = JSON.parse(stdout);
  return stages
    .filter(({ command, reply }) => !command.startsWith('EHLO') || reply.code >= 400)
    .map(({ command, reply: { code, lines } }) => {
      const text = lines.map((line, i) => `${code}${i < lines.length - 1 ? '-' : ' '}${line}`).join('\n');
      return [command, withoutId(text)];
    });
}

/** Answers by recipient. SMTPD_POLICY_README */
function policyServer(port: number): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('utf8');
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const recipient = /^recipient=(.*)$/m.exec(text.slice(0, end))?.[1] ?? '';
          text = text.slice(end + 2);
          const action = recipient.startsWith('policy@')
            ? 'REJECT by policy'
            : recipient.startsWith('later@')
              ? 'DEFER_IF_PERMIT come back'
              : 'DUNNO';
          socket.write(`action=${action}\n\n`);
        }
      });
      socket.on('error', () => socket.destroy());
    }).listen(port, '127.0.0.1', () => resolve(server));
  });
}

describe('explain', () => {
  let server: QuickStart;
  let policy: Server;
  let delayedPort = 0;
  let etc = '';
  let host = '';

  before(async () => {
    const policyPort = await freePort();
    policy = await policyServer(policyPort);
    server = await QuickStart.start([
      'mynetworks = 127.0.0.0/8 10.0.0.0/8',
      'smtpd_authorized_xclient_hosts = 127.0.0.1',
      'smtpd_restriction_classes = strict',
      'strict = check_recipient_access inline:{bob@=reject} reject_non_fqdn_helo_hostname',
      'smtpd_client_restrictions = permit_mynetworks check_client_access inline:{{bad.example=REJECT go away}} check_client_access cidr:$config_directory/networks',
      'smtpd_helo_restrictions = check_helo_access pcre:$config_directory/helo reject_invalid_helo_hostname',
      'smtpd_sender_restrictions = check_sender_access texthash:$config_directory/senders warn_if_reject reject_non_fqdn_sender',
      'smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated reject_unauth_destination',
      `smtpd_recipient_restrictions = check_recipient_access regexp:$config_directory/recipients check_policy_service inet:127.0.0.1:${policyPort}`,
      'smtpd_data_restrictions = check_sender_access inline:{{data@=REJECT not by DATA}}',
    ]);
    await server.stop();
    etc = `${server.directory}/etc`;
    host = server.domain;
    writeFileSync(`${etc}/networks`, '198.51.100.0/24 REJECT your network\n');
    writeFileSync(`${etc}/helo`, '/^(evil)\\.example/ 554 5.7.9 $1 is not served\n');
    writeFileSync(`${etc}/senders`, 'strict.example strict\nbroken.example check_sender_access texthash:/not/there\n');
    writeFileSync(`${etc}/recipients`, '/^discard@/ DISCARD\n');
    delayedPort = await freePort();
    appendFileSync(
      `${etc}/master.cf`,
      `127.0.0.1:${delayedPort} inet n - n - - smtpd\n  -o smtpd_delay_reject=no\n  -o smtpd_reject_footer=\\c;see\n`,
    );
    await server.start();
  });
  after(async () => {
    policy.close();
    await server.remove();
  });

  for (const given of cases) {
    it(`answers as the server does, to ${given.about}`, async () => {
      const question = { ...given, recipients: given.recipients.map((one) => one.replace('HOST', host)) };
      for (const port of [server.port, delayedPort]) {
        assert.deepEqual(
          await explained(etc, `127.0.0.1:${port}`, question),
          await live(port, question),
          port === delayedPort ? 'smtpd_delay_reject = no' : 'smtpd_delay_reject = yes',
        );
      }
    });
  }
});
