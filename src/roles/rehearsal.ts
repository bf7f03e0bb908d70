/**
 * What a client would be answered and where its mail would go: the SMTP server, cleanup and routing of a configuration,
 * joined without sockets and without a queue. An onlooker hears what each of them asks. `posthorn explain`
 */
import { createCleanup } from '#cleanup';
import { ConfigError, type Configuration, loadConfiguration, type ServiceEntry, type Settings } from '#config';
import { createHostLookup, type DnsAnswer, type DnsType, type HostLookup, type Resolver, systemResolver } from '#dns';
import { type EventChannel, type MailEvent, renderPostfixText } from '#events';
import type { Submission, SubmissionAction, SubmissionPort } from '#message';
import { compileQmgrSettings, routeRecipient } from '#qmgr';
import { createRewriter } from '#rewrite';
import {
  compileSmtpdSettings,
  type Conversation,
  createPolicyChecks,
  type Decision,
  dunno,
  isDnsList,
  type PolicyEvent,
  rehearse,
  type RehearsedClient,
  type Restriction,
} from '#smtpd';
import type { NewMessage } from '#store';
import { TableOpener, type TableQuestion } from '#tables';
import { filteredResolver } from './filtered-resolver.ts';

/** Who hears what happens, in the order it happens. */
export interface RehearsalOnlooker {
  policy(event: PolicyEvent): void;
  /** A restriction that was not asked, or whose answer counts for nothing: why. */
  avoided(reason: string): void;
  table(question: TableQuestion, asker: 'smtpd' | 'rewrite' | 'cleanup'): void;
  dns(name: string, type: DnsType, answer: DnsAnswer): void;
  /** A name or address by the system's sources: /etc/hosts, DNS. */
  host(question: string, answer: string): void;
  /** A line for the mail log, without time and tag. */
  log(event: MailEvent, text: string): void;
  /** What a restriction or content check wants done with the message. */
  action(action: SubmissionAction): void;
}

export interface RehearsalOptions {
  readonly directory: string;
  /** Name of an smtpd service of master.cf, or `name/type`; the first one when undefined. */
  readonly service: string | undefined;
  /** Neither DNS nor policy servers are asked. */
  readonly isOffline: boolean;
  readonly onlooker: RehearsalOnlooker;
}

/** Where a copy of the message goes. */
export interface Delivery {
  readonly recipient: string;
  /** `copy`: for somebody whom no client named (BCC). */
  readonly kind: 'recipient' | 'copy';
  /** Of the address; undefined when routing does not get that far. */
  readonly addressClass: string | undefined;
  readonly next:
    | {
        readonly kind: 'deliver';
        readonly transport: string;
        readonly nexthop: string;
        /** The transport's entry in master.cf; undefined: there is none. */
        readonly entry: ServiceEntry | undefined;
        /** content_filter or FILTER decided. */
        readonly isFilter: boolean;
      }
    | {
        readonly kind: 'decided';
        readonly outcome: 'deferred' | 'bounced' | 'sent';
        readonly code: string;
        readonly reason: string;
      };
}

/** What becomes of a message for one recipient after it was accepted. */
export type Way =
  | {
      readonly kind: 'queued';
      readonly queue: 'incoming' | 'hold';
      readonly sender: string;
      readonly deliveries: readonly Delivery[];
    }
  | { readonly kind: 'discarded' }
  | { readonly kind: 'refused'; readonly reply: string };

export interface Rehearsal {
  readonly configuration: Configuration;
  readonly service: ServiceEntry;
  /** Settings of the service. */
  readonly settings: Settings;
  /** Holds a conversation with the SMTP server. */
  converse(client: RehearsedClient, conversation: Conversation): Promise<void>;
  /** The way of a message that was accepted with these actions. */
  wayOf(sender: string, recipient: string, actions: readonly SubmissionAction[]): Promise<Way>;
  close(): void;
}

/** What would hand a message to somebody else, and is left out of a rehearsal. */
const leftOut = new Map([['smtpd_proxy_filter', '']]);

/** Throws ConfigError when the configuration can't be used, or has no such service. */
export function openRehearsal({ directory, service, isOffline, onlooker }: RehearsalOptions): Rehearsal {
  const configuration = loadConfiguration(directory, { overrides: leftOut });
  const entry = findService(configuration, service);
  const view = configuration.settingsFor(entry);
  const events: EventChannel = { emit: (event) => onlooker.log(event, renderPostfixText(event)) };
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const openerFor = (settings: Settings, asker: Parameters<RehearsalOnlooker['table']>[1]): TableOpener =>
    new TableOpener({
      settings,
      configDirectory: directory,
      warn,
      observe: (question) => onlooker.table(question, asker),
    });
  const network = createNetwork(isOffline, onlooker);
  const rewriter = createRewriter({
    settings: configuration.settings,
    tables: openerFor(configuration.settings, 'rewrite'),
    warn,
  });
  const tables = openerFor(view, 'smtpd');
  const cleanupEntry = configuration.services.find(
    ({ command, name }) => command === 'cleanup' && name === view.string('cleanup_service_name'),
  );
  const cleanupView = cleanupEntry === undefined ? configuration.settings : configuration.settingsFor(cleanupEntry);
  const written: NewMessage[] = [];
  const submission = createCleanup({
    settings: cleanupView,
    tables: openerFor(cleanupView, 'cleanup'),
    rewriter,
    store: nowhere(written),
    events,
  });
  const settings = compileSmtpdSettings(view, entry, tables);
  const policy = createPolicyChecks({
    settings: view,
    tables,
    events,
    rewriter,
    resolver: filteredResolver(network.resolver, view, { tables, events }),
    hostLookup: network.hostLookup,
    onlooker: {
      tell: (event) => {
        if (event.kind === 'asked') network.wasAsked = false;
        onlooker.policy(event);
      },
      instead: (restriction) => {
        const reason = reasonToAvoid(restriction, isOffline);
        if (reason === undefined) return undefined;
        onlooker.avoided(reason);
        return dunno;
      },
      reviewed: (decision: Decision) => {
        if (!isOffline || !network.wasAsked) return decision;
        onlooker.avoided('it needs DNS');
        return dunno;
      },
    },
  });
  const routing = {
    settings: compileQmgrSettings(configuration.settings),
    resolve: rewriter.resolve.bind(rewriter),
  };

  async function deliveryOf(message: NewMessage, index: number): Promise<Delivery | undefined> {
    const recipient = message.recipients[index];
    if (recipient === undefined) return undefined;
    const route = await routeRecipient(message, { ...recipient, index }, routing);
    const resolution = await rewriter.resolve(message.envelope.sender, recipient.address);
    const addressClass = resolution.kind === 'resolved' ? resolution.addressClass : undefined;
    const kind = recipient.notify.includes('never') ? 'copy' : 'recipient';
    if (route.kind === 'decided') {
      const { outcome, status } = route;
      const next = { kind: 'decided', outcome, code: status.code, reason: status.reason } as const;
      return { recipient: recipient.address, kind, addressClass, next };
    }
    const { transport, nexthop } = route;
    const agent = configuration.services.find(({ type, name }) => type === 'unix' && name === transport);
    const isFilter = message.envelope.contentFilter !== '';
    return {
      recipient: route.recipient.address,
      kind,
      addressClass,
      next: { kind: 'deliver', transport, nexthop, entry: agent, isFilter },
    };
  }

  return {
    configuration,
    service: entry,
    settings: view,
    converse: (client, conversation) =>
      rehearse(
        {
          settings,
          policy,
          submission: observed(submission, written, onlooker),
          rewriter,
          hostLookup: network.hostLookup,
          events,
          now: () => Date.now(),
          freeBytes: () => Number.MAX_SAFE_INTEGER,
          flushSite: () => Promise.resolve(false),
        },
        isOffline && client.name === undefined ? { ...client, name: 'unknown' } : client,
        conversation,
      ),
    async wayOf(sender, recipient, actions) {
      const message = submission.open({
        envelope: emptyEnvelope(sender, settings.contentFilter),
        source: 'smtpd',
        overrides: settings.overrides,
        prepend: Buffer.alloc(0),
      });
      for (const action of actions) if (action.kind !== 'prepend') message.apply(action);
      message.addRecipient({ address: recipient, original: recipient, dsnOriginal: '', notify: [] });
      written.length = 0;
      const result = await message.end();
      if (result.kind === 'refused') return { kind: 'refused', reply: `${result.code} ${result.dsn} ${result.text}` };
      const [queued] = written;
      if (queued === undefined) return { kind: 'discarded' };
      const deliveries: Delivery[] = [];
      for (const index of queued.recipients.keys()) {
        const delivery = await deliveryOf(queued, index);
        if (delivery !== undefined) deliveries.push(delivery);
      }
      return { kind: 'queued', queue: queued.queue, sender: queued.envelope.sender, deliveries };
    },
    close: () => tables.closeAll(),
  };
}

function findService({ services, directory }: Configuration, wanted: string | undefined): ServiceEntry {
  const candidates = services.filter(({ command }) => command === 'smtpd');
  const found =
    wanted === undefined
      ? (candidates.find(({ type }) => type === 'inet') ?? candidates[0])
      : candidates.find(({ name, type }) => name === wanted || `${name}/${type}` === wanted);
  if (found !== undefined) return found;
  const names = candidates.map(({ name, type }) => `${name}/${type}`).join(', ');
  throw new ConfigError([
    wanted === undefined || names === ''
      ? `${directory}/master.cf has no smtpd service`
      : `${directory}/master.cf has no smtpd service ${wanted}; it has ${names}`,
  ]);
}

/** Restrictions that are not asked: they wait, or ask somebody who remembers. */
function reasonToAvoid({ name }: Restriction, isOffline: boolean): string | undefined {
  if (name === 'sleep') return 'an explanation does not wait';
  if (!isOffline) return undefined;
  if (name === 'check_policy_service') return 'it needs a policy server';
  return isDnsList(name) ? 'it needs DNS' : undefined;
}

interface Network {
  readonly resolver: Resolver;
  readonly hostLookup: HostLookup;
  /** Something was asked that only the network knows; for restrictions, reset before each. */
  wasAsked: boolean;
}

/** DNS with an onlooker; without network every answer is `try again`. */
function createNetwork(isOffline: boolean, onlooker: RehearsalOnlooker): Network {
  const system = systemResolver();
  const answerTo = (name: string, type: DnsType): Promise<DnsAnswer> => {
    network.wasAsked = true;
    return isOffline ? Promise.resolve({ kind: 'tryAgain', reason: 'not asked: offline' }) : system.lookup(name, type);
  };
  const quiet = createHostLookup({ lookup: answerTo });
  const network: Network = {
    wasAsked: false,
    resolver: {
      async lookup(name, type) {
        const answer = await answerTo(name, type);
        onlooker.dns(name, type, answer);
        return answer;
      },
    },
    hostLookup: {
      async addresses(name) {
        const found = await quiet.addresses(name);
        onlooker.host(name, found.kind === 'ok' ? found.addresses.join(', ') : found.reason);
        return found;
      },
      async name(address) {
        const found = await quiet.name(address);
        onlooker.host(address, found.kind === 'ok' ? found.name : found.reason);
        return found;
      },
    },
  };
  return network;
}

/** A queue that keeps nothing but the envelope of the last message. */
function nowhere(written: NewMessage[]): Parameters<typeof createCleanup>[0]['store'] {
  return {
    begin: () => ({
      queueId: 'EXPLAIN',
      write: () => undefined,
      commit(message) {
        written.push(message);
        return Promise.resolve();
      },
      abort: () => undefined,
    }),
  };
}

/** Tells what is done with the message. */
function observed(port: SubmissionPort, written: NewMessage[], onlooker: RehearsalOnlooker): SubmissionPort {
  return {
    open(options): Submission {
      const inner = port.open(options);
      return {
        queueId: inner.queueId,
        addRecipient: (recipient) => inner.addRecipient(recipient),
        apply(action) {
          onlooker.action(action);
          inner.apply(action);
        },
        write: (chunk) => inner.write(chunk),
        async end() {
          written.length = 0;
          const result = await inner.end();
          if (result.kind === 'refused') return result;
          // what the checks of the content asked for shows only in the message
          const [message] = written;
          if (message === undefined) onlooker.action({ kind: 'discard' });
          else {
            if (message.queue === 'hold') onlooker.action({ kind: 'hold' });
            const { contentFilter: destination } = message.envelope;
            if (destination !== options.envelope.contentFilter) onlooker.action({ kind: 'filter', destination });
          }
          return result;
        },
        abort: () => inner.abort(),
      };
    },
  };
}

function emptyEnvelope(sender: string, contentFilter: string): Parameters<SubmissionPort['open']>[0]['envelope'] {
  const client = {
    name: '',
    reverseName: '',
    address: '',
    port: '',
    heloName: '',
    protocol: '',
    serverAddress: '',
    serverPort: '',
  };
  return {
    sender,
    arrivedAt: Date.now(),
    envid: '',
    ret: '',
    smtputf8: false,
    encoding: '',
    rewriteContext: 'remote',
    client,
    logClient: client,
    fullName: '',
    contentFilter,
    origin: 'mail',
    verp: '',
    trace: '',
    originalQueueId: '',
    requireTls: false,
  };
}
