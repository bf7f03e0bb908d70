import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DnsRecord, Resolver } from '#dns';
import { openRehearsal } from '#roles';
import { explain } from '../../../../src/cli/explain/question.ts';
import { Recorder } from '../../../../src/cli/explain/recorder.ts';
import type { Report, RestrictionStep } from '../../../../src/cli/explain/report.ts';

/** A DNS that knows these names: `TYPE NAME` to address, host or text. */
function resolverOf(known: Readonly<Record<string, string>>): Resolver {
  return {
    async lookup(name, type) {
      const value = known[`${type} ${name}`];
      if (value === undefined) return { kind: 'noName', reason: `Host not found: ${name}` };
      const records: DnsRecord[] = [];
      if (type === 'A') records.push({ type, name, ttl: 60, address: value });
      if (type === 'PTR') records.push({ type, name, ttl: 60, host: value });
      if (type === 'TXT') records.push({ type, name, ttl: 60, text: value });
      return { kind: 'ok', records, secure: false, canonicalName: name };
    },
  };
}

const dns = resolverOf({
  'PTR 2.113.0.203.in-addr.arpa': 'mx.sender.example',
  'A mx.sender.example': '203.0.113.2',
  'A 3.113.0.203.list.example': '127.0.0.2',
  'TXT 3.113.0.203.list.example': 'seen today',
});

describe('an explanation with the network', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-explain-'));
    writeFileSync(
      `${directory}/main.cf`,
      `compatibility_level = 3.11
myhostname = mail.example.org
mydestination = example.org
queue_directory = ${directory}
data_directory = ${directory}
inet_protocols = ipv4
local_recipient_maps =
smtpd_client_restrictions = reject_unknown_client_hostname
smtpd_recipient_restrictions =
    reject_rbl_client other.example,
    reject_rbl_client list.example
`,
    );
    writeFileSync(
      `${directory}/master.cf`,
      `smtp inet n - n - - smtpd
nodelay inet n - n - - smtpd
  -o smtpd_helo_required=yes
  -o { smtpd_recipient_restrictions = sleep 5,
       reject }
cleanup unix n - n - 0 cleanup
`,
    );
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function ask(
    client: string,
    name?: string,
    { isOffline = false, service }: { readonly isOffline?: boolean; readonly service?: string } = {},
  ): Promise<Report> {
    const recorder = new Recorder((parameter) => rehearsal.settings.origin(parameter));
    const rehearsal = await openRehearsal({ directory, service, isOffline, onlooker: recorder, resolver: dns });
    const question = {
      client,
      name,
      reverseName: undefined,
      helo: 'mx.example',
      sender: '',
      recipients: ['ann@example.org'],
      login: '',
      tls: false,
    };
    const report = await explain(rehearsal, recorder, { ...question, message: Buffer.from('.\r\n') }, () => []);
    rehearsal.close();
    return report;
  }

  const steps = ({ stages }: Report): readonly RestrictionStep[] =>
    stages
      .flatMap((stage) => stage.steps)
      .flatMap((step) => (step.kind === 'list' ? step.steps : []))
      .filter((step) => step.kind === 'restriction');

  it('looks the client up when no name is given', async () => {
    const { client, recipients } = await ask('203.0.113.2');
    assert.deepEqual(client, {
      address: '203.0.113.2',
      name: 'mx.sender.example',
      reverseName: 'mx.sender.example',
      login: '',
      tls: false,
    });
    assert.equal(recipients[0]?.verdict, 'accept');
  });

  it('shows at each DNS list what it answered', async () => {
    const report = await ask('203.0.113.3', 'mx.sender.example');
    const [other, listed] = steps(report).filter(({ name }) => name === 'reject_rbl_client');
    assert.deepEqual(
      other?.lookups.map(({ key, found }) => [key, found]),
      [['3.113.0.203.other.example', false]],
    );
    assert.deepEqual(
      listed?.lookups.map(({ where, key, answer }) => [where, key, answer]),
      [
        ['A', '3.113.0.203.list.example', '127.0.0.2'],
        ['TXT', '3.113.0.203.list.example', '"seen today"'],
      ],
    );
    assert.match(listed?.reply ?? '', /^554 5\.7\.1 Service unavailable; Client host \[203\.0\.113\.3\] blocked/);
    assert.equal(report.recipients[0]?.decidedBy?.restriction, 'reject_rbl_client list.example');
  });

  it('judges no client by a name that nobody asked for', async () => {
    const report = await ask('203.0.113.9', undefined, { isOffline: true });
    assert.equal(steps(report)[0]?.avoided, "it needs the client's name");
    assert.equal(report.recipients[0]?.verdict, 'accept');
    const online = await ask('203.0.113.9');
    assert.equal(online.recipients[0]?.reply?.lines[0]?.slice(0, 6), '4.7.25');
  });

  it('does not sleep, and finds overrides on their lines of master.cf', async () => {
    const report = await ask('203.0.113.2', 'mx.sender.example', { service: 'nodelay' });
    const [sleep, reject] = steps(report).slice(-2);
    assert.equal(sleep?.avoided, 'an explanation does not wait');
    assert.deepEqual(reject?.origin, { file: `${directory}/master.cf`, line: 4 });
  });
});
