/** virtual(8): mailboxes below virtual_mailbox_base, by table, without aliases or commands. */
import { badSetting, type Settings } from '#config';
import type { EventChannel } from '#events';
import {
  concludedAs,
  type DeliveryAgent,
  type DeliveryRequest,
  failureKind,
  type Outcome,
  type RequestRecipient,
  type Status,
} from '#message';
import type { Rewriter } from '#rewrite';
import type { TableOpener } from '#tables';
import type { DelivererPool } from '../deliverer.ts';
import { asWritten, type DelivererRequest, type WriteResult } from '../deliverer-protocol.ts';
import { readLockRules } from '../lock-rules.ts';
import { mailboxCopy } from '../mailbox-copy.ts';
import { logOutcome } from '../log-outcome.ts';
import type { LockRules } from '../mailbox-locks.ts';
import { mailboxLimitProblem } from '../mailbox-limit.ts';
import { createStoppedAgent } from '../stopped-agent.ts';
import { openStatusFilter, type StatusFilter } from '../status-filter.ts';
import { type Mailbox, Mailboxes } from './mailboxes.ts';

export interface VirtualAgentOptions {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly rewriter: Rewriter;
  readonly deliverers: DelivererPool;
  readonly events: EventChannel;
  readonly hostname: string;
  readonly now: () => number;
}

class VirtualAgent implements DeliveryAgent {
  readonly #options: VirtualAgentOptions;
  readonly #mailboxes: Mailboxes;
  readonly #locks: LockRules;
  readonly #isOwnerStrict: boolean;
  readonly #sizeLimit: number;
  readonly #statusFilter: StatusFilter | undefined;
  readonly #showsOriginal: boolean;
  readonly #softBounce: boolean;

  constructor(options: VirtualAgentOptions) {
    const { settings } = options;
    this.#options = options;
    this.#mailboxes = new Mailboxes(options, (text) => this.#warn(text));
    this.#statusFilter = openStatusFilter('virtual_delivery_status_filter', options);
    this.#locks = readLockRules(settings, 'virtual_mailbox_lock');
    this.#isOwnerStrict = settings.bool('strict_mailbox_ownership');
    this.#sizeLimit = settings.int('virtual_mailbox_limit');
    this.#softBounce = settings.bool('soft_bounce');
    this.#showsOriginal = settings.bool('enable_original_recipient');
  }

  async deliver(request: DeliveryRequest, report: (outcome: Outcome) => void): Promise<Record<string, never>> {
    const { events, now } = this.#options;
    for (const recipient of request.recipients) {
      const found = await this.#deliverOne(request, recipient);
      const judged = await this.#statusFilter?.apply(found.kind, found.status);
      const { logged, ...outcome } = concludedAs({ ...found, ...judged }, request, this.#softBounce);
      const relay = 'virtual';
      logOutcome(events, request, recipient, { logged, status: outcome.status, relay, now: now() });
      report({ ...found, ...outcome, relay });
    }
    return {};
  }

  async #deliverOne(request: DeliveryRequest, recipient: RequestRecipient): Promise<Outcome> {
    const { index, address } = recipient;
    const mailbox = await this.#mailboxes.find(address);
    if ('code' in mailbox) return { index, kind: failureKind(mailbox.code), status: mailbox };
    const what = mailbox.isMaildir ? 'maildir' : 'mailbox';
    if (request.probe) return { index, kind: 'sent', status: { code: '2.0.0', reason: `delivers to ${what}` } };
    const result = await this.#write(request, recipient, mailbox);
    for (const text of result.warnings) this.#warn(text);
    if (result.kind === 'ok')
      return { index, kind: 'sent', status: { code: '2.0.0', reason: `delivered to ${what}` }, action: 'delivered' };
    const status = this.#failureOf(result, mailbox, address);
    return { index, kind: failureKind(status.code), status };
  }

  async #write(request: DeliveryRequest, recipient: RequestRecipient, mailbox: Mailbox): Promise<WriteResult> {
    const { now, hostname, deliverers } = this.#options;
    const { uid, gid, path, isMaildir } = mailbox;
    const content = mailboxCopy(request, recipient, recipient.address, {
      sender: request.envelope.sender,
      prependsDelivered: true,
      showsOriginal: this.#showsOriginal,
      form: isMaildir ? 'plain' : 'mbox',
      now: now(),
    });
    const wanted: DelivererRequest = isMaildir
      ? { kind: 'maildir', path, hostname }
      : {
          kind: 'mailbox',
          path,
          locks: this.#locks,
          sizeLimit: this.#sizeLimit,
          isFileDestination: false,
          owner: this.#isOwnerStrict ? uid : undefined,
        };
    return asWritten(await deliverers.run(uid, gid, wanted, content));
  }

  #failureOf(result: WriteResult & { readonly kind: 'failed' }, { path, isMaildir }: Mailbox, address: string): Status {
    const what = isMaildir ? 'maildir delivery failed' : `delivery failed to mailbox ${path}`;
    if (result.isNotRegular === true) {
      this.#warn(`recipient ${address}: destination ${path} is not a regular file`);
      return { code: '5.3.5', reason: `${what}: mail system configuration error` };
    }
    return { code: result.code === '' ? '4.2.0' : result.code, reason: `${what}: ${result.reason}` };
  }

  #warn(text: string): void {
    this.#options.events.emit({ kind: 'warning', text });
  }
}

/** Throws ConfigError when virtual_mailbox_base is not absolute. */
export function createVirtualAgent(options: VirtualAgentOptions): DeliveryAgent {
  const { settings } = options;
  const base = settings.string('virtual_mailbox_base');
  if (base !== '' && !base.startsWith('/'))
    throw badSetting(settings, 'virtual_mailbox_base', 'write an absolute path');
  const problem = mailboxLimitProblem(settings, 'virtual_mailbox_limit');
  return problem === undefined
    ? new VirtualAgent(options)
    : createStoppedAgent(`configuration error: ${problem}`, options);
}
