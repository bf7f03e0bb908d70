/**
 * What a recipient costs in a restriction list of 40 entries with file tables (DNS excluded): CPU time of the decision alone.
 * Run: node_modules/.bin/node bench/restrictions.ts [recipients] [entries a table]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSettings } from '#config';
import { createRewriter } from '#rewrite';
import { createPolicyChecks, type SessionFacts } from '#smtpd';
import { TableOpener } from '#tables';

const total = Number(process.argv[2] ?? 50_000);
const entries = Number(process.argv[3] ?? 1000);
const directory = mkdtempSync(join(tmpdir(), 'posthorn-bench-'));
const kinds = ['client', 'helo', 'sender', 'recipient'];
const checks: string[] = [];
for (let i = 0; i < 36; i += 1) {
  const path = `${directory}/table-${i}`;
  const lines = Array.from({ length: entries }, (_, n) => `user${n}@host${n}.domain${i}.example  REJECT entry ${n}\n`);
  writeFileSync(path, lines.join(''));
  checks.push(`check_${kinds[i % kinds.length] ?? ''}_access texthash:${path}`);
}
const others = [
  'reject_non_fqdn_sender',
  'reject_non_fqdn_recipient',
  'reject_invalid_helo_hostname',
  'reject_unauth_destination',
];
writeFileSync(
  `${directory}/main.cf`,
  `compatibility_level = 3.11
myhostname = mail.example.com
mydestination = example.com
mynetworks = 127.0.0.0/8
local_recipient_maps =
smtpd_relay_restrictions =
smtpd_recipient_restrictions = ${[...checks, ...others].join(', ')}
`,
);

const { settings } = openSettings(directory);
const warn = (text: string): void => console.error(text);
const tables = new TableOpener({ settings, configDirectory: directory, warn });
const policy = createPolicyChecks({
  settings,
  tables,
  rewriter: createRewriter({ settings, tables, warn, facts: { interfaces: [] } }),
  resolver: { lookup: async () => ({ kind: 'noName', reason: 'none' }) },
  hostLookup: {
    name: async () => ({ kind: 'notFound', reason: 'none' }),
    addresses: async () => ({ kind: 'notFound', reason: 'none' }),
  },
  events: { emit: (event) => console.error(event) },
});

const facts = (nth: number): SessionFacts => ({
  command: 'RCPT',
  clientText: 'client.example.net[192.0.2.1]',
  memory: {},
  isDiscarded: false,
  isHeld: false,
  client: {
    name: 'client.example.net',
    nameStatus: 'ok',
    reverseName: 'client.example.net',
    reverseNameStatus: 'ok',
    address: '192.0.2.1',
    port: '4000',
    heloName: '',
    protocol: '',
    connectedFrom: '192.0.2.1',
    serverAddress: '192.0.2.2',
    serverPort: '25',
  },
  helo: 'client.example.net',
  protocol: 'ESMTP',
  sender: `sender${nth}@lists.example.net`,
  recipient: `recipient${nth}@example.com`,
  recipientCount: 0,
  queueId: '',
  sizeBytes: 0,
  saslUsername: '',
  saslSender: '',
  hasPipelinedInput: false,
  instance: '1.2.3',
});

async function round(count: number): Promise<number> {
  const before = process.cpuUsage();
  for (let i = 0; i < count; i += 1) {
    const verdict = await policy.check('rcpt', facts(i));
    if (verdict.kind !== 'accept') throw new Error(JSON.stringify(verdict));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

try {
  await round(5000);
  const rounds: number[] = [];
  for (let i = 0; i < 5; i += 1) rounds.push(await round(total / 5));
  rounds.sort((a, b) => a - b);
  console.log(
    `${(rounds[2] ?? 0).toFixed(1)} µs of CPU a recipient: 40 entries, 36 tables of ${entries} lines, median of 5`,
  );
} finally {
  rmSync(directory, { recursive: true });
}
