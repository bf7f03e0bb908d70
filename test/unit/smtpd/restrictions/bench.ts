/** Restriction lists of a main.cf, asked without a session; names come from a zone written in the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSettings, type Settings } from '#config';
import type { DnsAnswer, DnsRecord, DnsType, HostLookup, Resolver } from '#dns';
import { type MailEvent, renderPostfixText } from '#events';
import { createRewriter } from '#rewrite';
import { createPolicyChecks, type PolicyChecks, type SessionFacts, type Stage } from '#smtpd';
import { TableOpener } from '#tables';

/** `NAME TYPE` to data: addresses, `10 host` for MX, host names, text; or to what a lookup comes to. */
export type Zone = Readonly<Record<string, readonly string[] | 'tryAgain' | 'invalid' | 'nullMx'>>;

function record(name: string, type: DnsType, data: string): DnsRecord {
  const common = { name, ttl: 60 };
  switch (type) {
    case 'MX': {
      const [preference = '', host = ''] = data.split(' ');
      return { ...common, type, preference: Number(preference), host };
    }
    case 'TXT':
      return { ...common, type, text: data };
    case 'A':
    case 'AAAA':
      return { ...common, type, address: data };
    case 'PTR':
    case 'NS':
    case 'CNAME':
      return { ...common, type, host: data };
    case 'SRV':
    case 'TLSA':
      throw new Error(`no ${type} in tests`);
  }
}

function lookUp(zone: Zone, name: string, type: DnsType): DnsAnswer {
  const data = zone[`${name} ${type}`];
  if (typeof data === 'string') return { kind: data, reason: data };
  if (data !== undefined) {
    return { kind: 'ok', records: data.map((each) => record(name, type, each)), secure: false, canonicalName: name };
  }
  const exists = Object.keys(zone).some((key) => key.startsWith(`${name} `));
  return { kind: exists ? 'noData' : 'noName', reason: 'nothing' };
}

const base = `compatibility_level = 3.11
myhostname = mail.example.com
mydestination = example.com
mynetworks = 127.0.0.0/8
relay_domains = relay.example
local_recipient_maps =
smtpd_relay_restrictions =
`;

export interface Client {
  readonly name?: string;
  readonly reverseName?: string;
  readonly address?: string;
}

export class Bench {
  readonly log: string[] = [];
  readonly asked: string[] = [];
  readonly settings: Settings;
  readonly #checks: PolicyChecks;
  readonly #directory = mkdtempSync(join(tmpdir(), 'restrictions-'));
  readonly #memory: SessionFacts['memory'] = {};

  /** `without`: a setting that stays at its default; `routingCf`: what main.cf says where the service has `-o`. */
  constructor(mainCf: string, zone: Zone = {}, without = '', routingCf = '') {
    const lines = base.split('\n').filter((line) => without === '' || !line.startsWith(without));
    writeFileSync(join(this.#directory, 'main.cf'), `${lines.join('\n')}${mainCf}\n`);
    const { settings } = openSettings(this.#directory);
    this.settings = settings;
    writeFileSync(join(this.#directory, 'main.cf'), `${lines.join('\n')}${mainCf}\n${routingCf}\n`);
    const { settings: routing } = openSettings(this.#directory);
    const events = { emit: (event: MailEvent): void => void this.log.push(renderPostfixText(event)) };
    const warn = (text: string): void => events.emit({ kind: 'warning', text });
    const tables = new TableOpener({ settings, configDirectory: this.#directory, warn });
    const resolver: Resolver = {
      lookup: async (name, type) => {
        this.asked.push(`${name} ${type}`);
        // so that questions asked together are under way together
        await new Promise((resolve) => setImmediate(resolve));
        return lookUp(zone, name, type);
      },
    };
    const hostLookup: HostLookup = {
      name: async () => ({ kind: 'notFound', reason: 'no name' }),
      addresses: async (name) => {
        const answer = lookUp(zone, name, 'A');
        if (answer.kind === 'tryAgain') return { kind: 'tryAgain', reason: 'Temporary failure in name resolution' };
        if (answer.kind !== 'ok') return { kind: 'notFound', reason: 'Name or service not known' };
        return { kind: 'ok', addresses: answer.records.flatMap((each) => ('address' in each ? [each.address] : [])) };
      },
    };
    this.#checks = createPolicyChecks({
      settings,
      tables,
      rewriter: createRewriter({
        settings: routing,
        tables,
        warn,
        facts: { interfaces: [{ address: '192.0.2.25', internal: false }] },
      }),
      resolver,
      hostLookup,
      events,
    });
  }

  /** The reply; `ok` when nothing is refused, with what is to be done with the message. */
  async ask(
    stage: Stage,
    facts: Partial<Omit<SessionFacts, 'client'>> & { readonly client?: Client } = {},
  ): Promise<string> {
    const { client = {}, ...rest } = facts;
    const { name = 'client.example.net', address = '192.0.2.1' } = client;
    const { reverseName = name } = client;
    const status = (text: string): 'ok' | 'unknown' => (text === 'unknown' ? 'unknown' : 'ok');
    const result = await this.#checks.check(stage, {
      command: stage === 'endOfData' ? 'END-OF-MESSAGE' : stage.toUpperCase(),
      clientText: `${name}[${address}]`,
      memory: this.#memory,
      isDiscarded: false,
      isHeld: false,
      helo: 'client.example.net',
      protocol: 'ESMTP',
      sender: stage === 'connect' || stage === 'helo' ? undefined : 'a@example.net',
      recipient: stage === 'rcpt' ? 'b@example.com' : undefined,
      recipientCount: stage === 'data' || stage === 'endOfData' ? 1 : 0,
      queueId: '',
      sizeBytes: 0,
      saslUsername: '',
      saslSender: undefined,
      hasPipelinedInput: false,
      instance: '1.2.3',
      client: {
        name,
        nameStatus: status(name),
        reverseName,
        reverseNameStatus: status(reverseName),
        address,
        port: '4000',
        heloName: '',
        protocol: '',
        connectedFrom: address,
        serverAddress: '192.0.2.25',
        serverPort: '25',
      },
      ...rest,
    });
    switch (result.kind) {
      case 'reject':
        return result.reply;
      case 'abandon':
        return `gone: ${result.fatal ?? ''}`;
      case 'accept':
        return ['ok', ...result.actions.map(({ kind }) => kind)].join(' ');
    }
  }

  /** Recipients one after the other. */
  async recipients(...addresses: readonly string[]): Promise<readonly string[]> {
    const replies: string[] = [];
    for (const recipient of addresses) replies.push(await this.ask('rcpt', { recipient }));
    return replies;
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Runs a test with a bench that is taken away afterwards. */
export async function withBench(
  mainCf: string,
  test: (bench: Bench) => Promise<void>,
  zone: Zone = {},
  without = '',
  routingCf = '',
): Promise<void> {
  const bench = new Bench(mainCf, zone, without, routingCf);
  try {
    await test(bench);
  } finally {
    bench.remove();
  }
}
