/** local(8): one recipient at a time, through aliases to mailboxes and other addresses. */
import { addressesOf, parseAddressList, splitAddress, splitExtension, toExternal } from '#address';
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import {
  type DeliveryAgent,
  type DeliveryRequest,
  formatMailDate,
  type Outcome,
  type RequestRecipient,
  type SubmissionPort,
} from '#message';
import { getUserByName } from '#native';
import type { Rewriter } from '#rewrite';
import type { TableList, TableOpener } from '#tables';
import type { DelivererPool } from '../deliverer.ts';
import { deliveredToFields } from '../mailbox-copy.ts';
import { deliverToMailbox, type MailboxSettings } from './mailbox.ts';

export interface LocalAgentOptions {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly rewriter: Rewriter;
  readonly submission: SubmissionPort;
  readonly deliverers: DelivererPool;
  readonly events: EventChannel;
  readonly hostname: string;
  readonly now: () => number;
}

/** What became of one member of an expansion. */
export interface MemberOutcome {
  readonly kind: 'sent' | 'deferred' | 'bounced' | 'deliverable' | 'undeliverable';
  readonly code: string;
  readonly text: string;
}

const maxNesting = 100;

interface Expansion {
  readonly request: DeliveryRequest;
  readonly recipient: RequestRecipient;
  /** Addresses to send on as a new message. */
  readonly forwards: Set<string>;
  readonly seen: Set<string>;
  readonly outcomes: MemberOutcome[];
}

class LocalAgent implements DeliveryAgent {
  readonly #options: LocalAgentOptions;
  readonly #aliases: TableList;
  readonly #mailbox: MailboxSettings;
  readonly #delimiter: string;
  readonly #splitOptions: { readonly ownerRequestSpecial: boolean; readonly doubleBounceName: string };
  readonly #myhostname: string;
  readonly #mailName: string;

  constructor(options: LocalAgentOptions) {
    const { settings, tables } = options;
    this.#options = options;
    this.#aliases = tables.list(settings.elements('alias_maps'), { paranoid: true });
    this.#mailbox = {
      homeMailbox: settings.string('home_mailbox'),
      spoolDirectory: settings.string('mail_spool_directory'),
      locks: settings.list('mailbox_delivery_lock'),
      sizeLimit: settings.int('mailbox_size_limit'),
      prependsDelivered: settings.list('prepend_delivered_header').some((word) => word === 'file'),
    };
    this.#delimiter = settings.string('recipient_delimiter');
    this.#splitOptions = {
      ownerRequestSpecial: settings.bool('owner_request_special'),
      doubleBounceName: settings.string('double_bounce_sender'),
    };
    this.#myhostname = settings.string('myhostname');
    this.#mailName = settings.string('mail_name');
  }

  async deliver(request: DeliveryRequest, report: (outcome: Outcome) => void): Promise<Record<string, never>> {
    for (const recipient of request.recipients) report(await this.#deliverOne(request, recipient));
    return {};
  }

  async #deliverOne(request: DeliveryRequest, recipient: RequestRecipient): Promise<Outcome> {
    const expansion: Expansion = { request, recipient, forwards: new Set(), seen: new Set(), outcomes: [] };
    const seenBefore = await deliveredToFields(request);
    if (seenBefore.has(toExternal(recipient.address).toLowerCase())) {
      this.#conclude(expansion, recipient.address, {
        kind: 'bounced',
        code: '5.4.6',
        text: `mail forwarding loop for ${toExternal(recipient.address)}`,
      });
    } else await this.#deliverAddress(expansion, recipient.address, 0, '');
    if (expansion.forwards.size > 0) await this.#forward(expansion);
    const worst =
      expansion.outcomes.find(({ kind }) => kind === 'deferred') ??
      expansion.outcomes.find(({ kind }) => kind === 'bounced') ??
      expansion.outcomes[0];
    const { kind, code, text } = worst ?? { kind: 'sent', code: '2.0.0', text: 'expanded' };
    return {
      index: recipient.index,
      kind,
      status: { code, reason: text },
      ...(kind === 'sent' ? { action: 'delivered' as const } : {}),
    };
  }

  /** A local address: alias, mailbox, or nobody. `from`: the alias being expanded, which then means its own mailbox. */
  async #deliverAddress(expansion: Expansion, address: string, level: number, from: string): Promise<void> {
    const name = splitAddress(address).localPart.toLowerCase();
    if (level > maxNesting) {
      this.#options.events.emit({
        kind: 'warning',
        text: `recipient nesting limit exceeded for ${toExternal(address)}`,
      });
      this.#conclude(expansion, address, { kind: 'bounced', code: '5.4.6', text: 'recipient nesting limit exceeded' });
      return;
    }
    const key = `${level} ${address.toLowerCase()}`;
    if (expansion.seen.has(key)) return;
    expansion.seen.add(key);
    const split = splitExtension(name, this.#delimiter, this.#splitOptions);
    for (const candidate of split.extension === '' ? [name] : [name, split.user]) {
      if (candidate === from) break;
      const found = await this.#aliases.lookup(candidate);
      if (found.kind === 'failed') {
        this.#options.events.emit({ kind: 'warning', text: `${found.table.name}: ${found.reason}` });
        this.#conclude(expansion, address, { kind: 'deferred', code: '4.3.0', text: 'alias database unavailable' });
        return;
      }
      if (found.kind === 'found') {
        await this.#expandAlias(expansion, candidate, found.value, level);
        return;
      }
    }
    await this.#deliverToUser(expansion, address, split.user);
  }

  async #expandAlias(expansion: Expansion, name: string, value: string, level: number): Promise<void> {
    for (const member of addressesOf(parseAddressList(value))) {
      if (/^["\\]?[|/]|^:include:/.test(member)) {
        this.#conclude(expansion, expansion.recipient.address, {
          kind: 'deferred',
          code: '4.3.5',
          text: `alias ${name}: delivery to "${member}" is not in this version`,
        });
        continue;
      }
      const { rewriter } = this.#options;
      const address = rewriter.rewrite(member, 'local');
      const isLocal = await rewriter.isLocalDomain(splitAddress(address).domain);
      if (isLocal === 'yes') await this.#deliverAddress(expansion, address, level + 1, name);
      else expansion.forwards.add(address);
    }
  }

  async #deliverToUser(expansion: Expansion, address: string, user: string): Promise<void> {
    const account = getUserByName(user);
    if (account === undefined) {
      this.#concludeUnknown(expansion, address, user);
      return;
    }
    if (expansion.request.probe) {
      this.#conclude(expansion, address, { kind: 'deliverable', code: '2.0.0', text: 'delivers to mailbox' });
      return;
    }
    const { deliverers, hostname, now } = this.#options;
    const parts = { request: expansion.request, recipient: expansion.recipient, deliverers, hostname, now: now() };
    this.#conclude(expansion, address, await deliverToMailbox(account, this.#mailbox, parts));
  }

  /** postmaster and mailer-daemon without an alias are thrown away with a warning; anybody else is unknown. */
  #concludeUnknown(expansion: Expansion, address: string, user: string): void {
    if (user === 'postmaster' || user === 'mailer-daemon') {
      this.#options.events.emit({ kind: 'warning', text: `required alias not found: ${user}` });
      this.#conclude(expansion, address, { kind: 'sent', code: '2.0.0', text: 'discarded' });
      return;
    }
    this.#conclude(expansion, address, { kind: 'bounced', code: '5.1.1', text: `unknown user: "${user}"` });
  }

  /** All outside members of an expansion as one new message. */
  async #forward(expansion: Expansion): Promise<void> {
    const { submission, now } = this.#options;
    const { request, recipient, forwards } = expansion;
    const { messageId: _, ...envelope } = request.envelope;
    const opened = submission.open({
      envelope: { ...envelope, arrivedAt: now(), rewriteContext: 'local' },
      source: 'forward',
      overrides: [],
      prepend: () =>
        Buffer.from(
          `Received: by ${this.#myhostname} (${this.#mailName})\r\n\tid ${opened.queueId}; ${formatMailDate(now())}\r\nDelivered-To: ${toExternal(recipient.address)}\r\n`,
        ),
    });
    const { original, dsnOriginal, notify } = recipient;
    for (const address of forwards) opened.addRecipient({ address, original, dsnOriginal, notify });
    for await (const chunk of request.content.chunks()) await opened.write(chunk);
    const result = await opened.end();
    this.#conclude(
      expansion,
      recipient.address,
      result.kind === 'queued'
        ? { kind: 'sent', code: '2.0.0', text: `forwarded as ${result.queueId}` }
        : { kind: 'deferred', code: '4.3.0', text: `unable to forward: ${result.text}` },
    );
  }

  #conclude(expansion: Expansion, address: string, outcome: MemberOutcome): void {
    const { request, recipient } = expansion;
    const final =
      request.probe && outcome.kind === 'bounced' ? { ...outcome, kind: 'undeliverable' as const } : outcome;
    expansion.outcomes.push(final);
    this.#options.events.emit({
      kind: 'delivery',
      queueId: request.queueId,
      recipient: toExternal(address),
      original: toExternal(recipient.original),
      relay: 'local',
      times: [request.envelope.arrivedAt, request.activeAt, request.startedAt, request.startedAt, this.#options.now()],
      code: final.code,
      outcome: final.kind,
      text: final.text,
    });
  }
}

export function createLocalAgent(options: LocalAgentOptions): DeliveryAgent {
  return new LocalAgent(options);
}
