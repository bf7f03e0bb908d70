/**
 * What restrictions cost: 40 of them with tables in files, asked about one recipient after the other. No DNS.
 * Run: node_modules/.bin/node bench/restriction-tables.ts [recipients]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { loadConfiguration } from '#config';
import { createHostLookup } from '#dns';
import { createRewriter } from '#rewrite';
import { createPolicyChecks, type SessionFacts } from '#smtpd';
import { TableOpener } from '#tables';

const total = Number(process.argv[2] ?? 100_000);
const directory = mkdtempSync(join(tmpdir(), 'posthorn-bench-'));

/** Every list asks all of its tables: nothing matches but what ends the last one. */
const restrictions = {
  client: [
    'permit_mynetworks',
    'permit_sasl_authenticated',
    'check_client_access hash:DIR/clients',
    'check_client_access cidr:DIR/networks',
    'check_client_access pcre:DIR/names.pcre',
    'check_client_access texthash:DIR/allowed',
    'check_reverse_client_hostname_access regexp:DIR/names.regexp',
    'check_reverse_client_hostname_access hash:DIR/clients',
    'reject_unknown_reverse_client_hostname',
    'reject_unauth_pipelining',
  ],
  helo: [
    'permit_mynetworks',
    'check_helo_access hash:DIR/clients',
    'check_helo_access pcre:DIR/names.pcre',
    'check_helo_access regexp:DIR/names.regexp',
    'reject_invalid_helo_hostname',
    'reject_non_fqdn_helo_hostname',
    'strict',
    'check_helo_access texthash:DIR/allowed',
  ],
  sender: [
    'permit_mynetworks',
    'check_sender_access hash:DIR/senders',
    'check_sender_access texthash:DIR/allowed',
    'check_sender_access pcre:DIR/addresses.pcre',
    'check_sender_access regexp:DIR/addresses.regexp',
    'check_client_access cidr:DIR/networks',
    'reject_non_fqdn_sender',
    'reject_unlisted_sender',
    'warn_if_reject check_sender_access hash:DIR/clients',
    'reject_sender_login_mismatch',
  ],
  relay: ['permit_mynetworks', 'permit_sasl_authenticated', 'reject_unauth_destination'],
  recipient: [
    'reject_non_fqdn_recipient',
    'check_recipient_access hash:DIR/recipients',
    'check_recipient_access texthash:DIR/allowed',
    'check_recipient_access pcre:DIR/addresses.pcre',
    'check_recipient_access regexp:DIR/addresses.regexp',
    'check_client_access hash:DIR/clients',
    'check_sender_access hash:DIR/senders',
    'check_helo_access hash:DIR/clients',
    'reject_unlisted_recipient',
  ],
};

const count = (n: number, line: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => `${line(i)}\n`).join('');
const files: Readonly<Record<string, string>> = {
  clients: count(10_000, (i) => `host${i}.spam.example REJECT`),
  senders: count(10_000, (i) => `user${i}@spam.example REJECT`),
  recipients: count(10_000, (i) => `gone${i}@example.org REJECT`),
  allowed: count(200, (i) => `friend${i}.example OK`),
  networks: count(500, (i) => `10.${i % 250}.${Math.floor(i / 250)}.0/24 REJECT`),
  'names.pcre': count(20, (i) => `/^(dsl|dyn|pool)-\\d+-${i}\\./ REJECT dynamic`),
  'names.regexp': count(10, (i) => `/^unknown-${i}\\./ REJECT`),
  'addresses.pcre': count(20, (i) => `/^(bounce|list)\\+.*=${i}@/ REJECT`),
  'addresses.regexp': count(10, (i) => `/^nobody-${i}@/ REJECT`),
  users: count(2000, (i) => `user${i}@example.org x`),
};
const place = (list: readonly string[]): string => list.join(', ').replaceAll('DIR', directory);
const mainCf = `compatibility_level = 3.11
myhostname = mail.example.org
mydestination = localhost
queue_directory = ${directory}
data_directory = ${directory}
mynetworks = 127.0.0.0/8, 192.168.0.0/16
virtual_mailbox_domains = example.org
virtual_mailbox_maps = hash:${directory}/users
smtpd_restriction_classes = strict
strict = reject_invalid_helo_hostname
${Object.entries(restrictions)
  .map(([name, list]) => `smtpd_${name}_restrictions = ${place(list)}\n`)
  .join('')}`;

for (const [name, text] of Object.entries(files)) writeFileSync(`${directory}/${name}`, text);
writeFileSync(`${directory}/main.cf`, mainCf);
writeFileSync(`${directory}/master.cf`, 'smtp inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\n');
for (const name of ['clients', 'senders', 'recipients', 'users']) {
  const postmap = resolve(import.meta.dirname, '../bin/postmap');
  const { status, stderr } = spawnSync(postmap, ['-c', directory, `hash:${directory}/${name}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
}

const { settings } = loadConfiguration(directory);
const tables = new TableOpener({ settings, configDirectory: directory, warn: console.error });
const rewriter = createRewriter({ settings, tables, warn: console.error });
const resolver = {
  lookup: (): never => {
    throw new Error('no restriction of this benchmark asks DNS');
  },
};
const policy = createPolicyChecks({
  settings,
  tables,
  rewriter,
  resolver,
  hostLookup: createHostLookup(resolver),
  events: { emit: () => undefined },
});

function factsOf(i: number): SessionFacts {
  const name = `mx${i % 300}.customer.example.net`;
  return {
    command: 'RCPT',
    clientText: `${name}[203.0.113.9]`,
    memory: {},
    isDiscarded: false,
    isHeld: false,
    client: {
      name,
      nameStatus: 'ok',
      reverseName: name,
      reverseNameStatus: 'ok',
      address: `203.0.${i % 113}.${i % 251}`,
      port: '40000',
      heloName: name,
      protocol: 'ESMTP',
      serverAddress: '192.0.2.2',
      serverPort: '25',
      connectedFrom: '203.0.113.9',
    },
    helo: name,
    protocol: 'ESMTP',
    sender: `sender${i % 700}@customer.example.net`,
    recipient: `user${i % 2000}@example.org`,
    recipientCount: 0,
    queueId: '',
    sizeBytes: 0,
    saslUsername: '',
    saslSender: '',
    hasPipelinedInput: false,
    instance: String(i),
  };
}

async function run(recipients: number): Promise<number> {
  const begin = process.hrtime.bigint();
  for (let i = 0; i < recipients; i += 1) {
    const verdict = await policy.check('rcpt', factsOf(i));
    if (verdict.kind !== 'accept') throw new Error(`refused: ${JSON.stringify(verdict)}`);
  }
  return Number(process.hrtime.bigint() - begin) / 1000 / recipients;
}

try {
  await run(Math.min(total, 20_000));
  const rounds: number[] = [];
  for (let round = 0; round < 3; round += 1) rounds.push(await run(total));
  const entries = Object.values(restrictions).reduce((sum, list) => sum + list.length, 0);
  const [best = 0, median = 0] = rounds.toSorted((a, b) => a - b);
  console.log(`${entries} restrictions, ${total} recipients, 3 rounds`);
  console.log(`a recipient: median ${median.toFixed(1)} µs, best ${best.toFixed(1)} µs`);
} finally {
  tables.closeAll();
  rmSync(directory, { recursive: true, force: true });
}
