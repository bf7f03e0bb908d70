import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ConfigError, loadConfiguration } from '#config';
import { createPipeAgent } from '#delivery/pipe';
import { TableOpener } from '#tables';
import { renderPostfixText } from '#events';
import { getGroupByName } from '#native';
import { type DeliveryRequest, internalEnvelope, type Outcome, type RequestRecipient } from '#message';
import { DelivererWork } from '../../../src/delivery/deliverer-work.ts';
import { callsInThreads } from '../../../src/delivery/file-calls.ts';
import { emptyCopy, shapedCopy } from '../../../src/delivery/shaped-copy.ts';

const client = {
  name: 'client.example.org',
  reverseName: '',
  address: '192.0.2.1',
  port: '1',
  heloName: 'client',
  protocol: 'ESMTP',
  serverAddress: '',
  serverPort: '',
};
const content = Buffer.from('Subject: s\r\n\r\nFrom here\r\n.dot\r\n');

function recipient(address: string, index: number): RequestRecipient {
  return { address, original: address, dsnOriginal: '', notify: [], index };
}

describe('pipe', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'pipe-'));
    writeFileSync(
      join(directory, 'main.cf'),
      'compatibility_level = 3.11\nmyhostname = mail.example.com\nrecipient_delimiter = +\nmail_owner = bin\nsetgid_group = daemon\n',
    );
  });
  after(() => rmSync(directory, { recursive: true }));

  async function deliver(
    attributes: string,
    addresses: readonly string[],
  ): Promise<{ readonly outcomes: readonly Outcome[]; readonly log: readonly string[] }> {
    writeFileSync(join(directory, 'master.cf'), `my unix - n n - - pipe ${attributes}\n`);
    const configuration = loadConfiguration(directory);
    const [entry] = configuration.services;
    assert.ok(entry);
    const log: string[] = [];
    const settings = configuration.settingsFor(entry);
    const work = new DelivererWork(callsInThreads);
    const agent = createPipeAgent({
      entry,
      settings,
      tables: new TableOpener({ settings, configDirectory: directory, warn: (text) => log.push(text) }),
      // commands of this test run as whoever runs it
      deliverers: {
        actsAsRoot: true,
        run: (_uid, _gid, asked, copy = emptyCopy) => work.run(asked, shapedCopy(copy)),
        close: () => undefined,
      },
      events: { emit: (event) => void log.push(renderPostfixText(event)) },
      now: () => 0,
    });
    const request: DeliveryRequest = {
      queueId: 'ABC',
      envelope: {
        ...internalEnvelope('Sender@example.org', 0, 'mail'),
        client,
        logClient: client,
        messageId: '',
      },
      content: { sizeBytes: content.length, headerBytes: 12, chunks: () => [content] },
      sizeBytes: 30,
      transport: 'my',
      nexthop: 'Next.Example',
      recipients: addresses.map(recipient),
      activeAt: 0,
      startedAt: 0,
      reuseConnection: false,
      probe: false,
      signal: new AbortController().signal,
    };
    const outcomes: Outcome[] = [];
    await agent.deliver(request, (outcome) => void outcomes.push(outcome));
    return { outcomes, log };
  }
  const user = 'user=nobody';

  it('repeats arguments about recipients and fills in the others once', async () => {
    const { outcomes } = await deliver(
      `flags=hu ${user} argv=/bin/echo $sender $nexthop \${recipient} \${user}:$extension:$domain $$`,
      ['Bob+Ext@A.example', 'amy@b.example'],
    );
    assert.deepEqual(
      outcomes.map(({ status }) => status.reason),
      Array(2).fill(
        'delivered via my service (Sender@example.org next.example bob+ext@a.example amy@b.example bob:ext:a.example amy::b.example $)',
      ),
    );
  });

  it('writes the message as the flags say', async () => {
    const { outcomes } = await deliver(`flags=R>. ${user} eol=| argv=/bin/cat`, ['bob@a.example']);
    assert.equal(
      outcomes[0]?.status.reason,
      'delivered via my service (Return-Path: <Sender@example.org>|Subject: s||>From here|..dot|)',
    );
  });

  it('tells the first 100 characters of what a command prints that succeeds', async () => {
    const { outcomes } = await deliver(`${user} argv=/usr/bin/printf %0150d 0`, ['bob@a.example']);
    assert.equal(outcomes[0]?.status.reason, `delivered via my service (${'0'.repeat(100)})`);
  });

  it('takes the exit status and a status code in the output as the outcome', async () => {
    const { outcomes, log } = await deliver(`${user} argv=/bin/sh -c {exit 75}`, ['bob@a.example']);
    assert.deepEqual(outcomes[0]?.kind, 'deferred');
    assert.match(log.join('\n'), /relay=my, .*dsn=4\.3\.0, status=deferred \(temporary failure\)/);
    const refused = await deliver(`${user} argv=/bin/sh -c {echo 5.7.1 not today; exit 69}`, ['bob@a.example']);
    assert.deepEqual(refused.outcomes[0]?.status, {
      code: '5.7.1',
      reason: 'not today ',
      diagnostic: { type: 'x-unix', text: 'not today ' },
    });
  });

  it("runs with the user's own group where none is written behind the colon", async () => {
    const { outcomes } = await deliver(`${user}: argv=/usr/bin/id -g`, ['bob@a.example']);
    assert.match(outcomes[0]?.status.reason ?? '', /^delivered via my service \(\d+\)$/);
  });

  it('runs nothing as unknown users or with the rights of root or of the mail system, and defers the mail', async () => {
    const specifies = 'user= command-line attribute specifies';
    for (const [name, refusal] of [
      ['root', `${specifies} root privileges`],
      ['bin', `${specifies} mail system owner bin`],
      ['nobody:bin', `${specifies} mail system owner bin group id ${getGroupByName('bin')?.gid ?? ''}`],
      ['nobody:root', `${specifies} privileged group id 0`],
      ['nobody:daemon', `${specifies} mail system daemon group id ${getGroupByName('daemon')?.gid ?? ''}`],
      ['nosuchuser:nosuchgroup', 'get_service_attr: unknown username: nosuchuser'],
      ['nobody:nosuchgroup', 'get_service_attr: unknown group: nosuchgroup'],
    ] as const) {
      const { outcomes, log } = await deliver(`user=${name} argv=/bin/echo`, ['a@b.example']);
      assert.equal(log[0], `fatal: ${refusal}`);
      assert.deepEqual([outcomes[0]?.kind, outcomes[0]?.status.code], ['deferred', '4.3.5']);
    }
  });

  it('refuses an entry without a command or a user, with file and line', async () => {
    for (const [attributes, reason] of [
      [user, /master\.cf, line 1: service my\/pipe: missing argv=/],
      ['argv=/bin/cat', /missing user=/],
      [`flags=Z ${user} argv=/bin/cat`, /unknown flag "Z"/],
      [`${user} -o syslog_name=x argv=/bin/cat`, /unexpected option "-o"; options have to stand before the attributes/],
      [`${user} color=red argv=/bin/cat`, /unknown attribute "color"; the attributes are flags=, .* and argv=/],
      [`${user} quick argv=/bin/cat`, /unknown attribute "quick"/],
      [`${user} size=10k argv=/bin/cat`, /bad size= attribute "10k"/],
    ] as const) {
      await assert.rejects(
        deliver(attributes, ['a@b']),
        (error) => error instanceof ConfigError && reason.test(error.message),
      );
    }
  });
});
