/** virtual(8): mailboxes below virtual_mailbox_base, by table, without aliases or commands. */
import { splitAddress } from '#address';
import { badSetting, readExtensionRules, type Settings } from '#config';
import type { EventChannel } from '#events';
import {
  concludedAs,
  type DeliveryAgent,
  type DeliveryRequest,
  type Outcome,
  type RequestRecipient,
  type Status,
} from '#message';
import type { Rewriter } from '#rewrite';
import { type AddressLookupOptions, findByAddress, type TableList, type TableOpener } from '#tables';
import type { DelivererPool } from '../deliverer.ts';
import { asWritten } from '../deliverer-protocol.ts';
import { readLockRules } from '../lock-rules.ts';
import { mailboxCopy } from '../mailbox-copy.ts';
import { logOutcome } from '../log-outcome.ts';
import type { LockRules } from '../mailbox-locks.ts';
import { createStoppedAgent, mailboxLimitProblem } from '../mailbox-limit.ts';
import { openStatusFilter, type StatusFilter } from '../status-filter.ts';

export interface VirtualAgentOptions {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly rewriter: Rewriter;
  readonly deliverers: DelivererPool;
  readonly events: EventChannel;
  readonly hostname: string;
  readonly now: () => number;
}

interface Mailbox {
  readonly path: string;
  readonly isMaildir: boolean;
  readonly uid: number;
  readonly gid: number;
}

const configurationTrouble: Status = { code: '4.3.5', reason: 'mail system configuration error' };

class VirtualAgent implements DeliveryAgent {
  readonly #options: VirtualAgentOptions;
  readonly #base: string;
  readonly #maps: TableList;
  readonly #uids: TableList;
  readonly #gids: TableList;
  readonly #lookup: AddressLookupOptions;
  readonly #catchall: string;
  readonly #minimumUid: number;
  readonly #locks: LockRules;
  readonly #isOwnerStrict: boolean;
  readonly #sizeLimit: number;
  readonly #statusFilter: StatusFilter | undefined;
  readonly #showsOriginal: boolean;
  readonly #softBounce: boolean;

  constructor(options: VirtualAgentOptions) {
    const { settings, tables, rewriter } = options;
    this.#options = options;
    this.#statusFilter = openStatusFilter('virtual_delivery_status_filter', options);
    this.#base = settings.string('virtual_mailbox_base');
    this.#maps = tables.listOf('virtual_mailbox_maps', { paranoid: true });
    this.#uids = tables.listOf('virtual_uid_maps', { paranoid: true });
    this.#gids = tables.listOf('virtual_gid_maps', { paranoid: true });
    this.#lookup = {
      ...readExtensionRules(settings),
      isLocalDomain: (domain) => rewriter.isLocalDomain(domain),
      keys: 'addressAndDomain',
    };
    this.#catchall = settings.string('posthorn_catchall_maildir');
    this.#minimumUid = settings.int('virtual_minimum_uid');
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
    const failed = (kind: 'deferred' | 'bounced', status: Status): Outcome => ({ index, kind, status });
    const mailbox = await this.#find(address);
    if ('code' in mailbox) return failed(mailbox.code.startsWith('5') ? 'bounced' : 'deferred', mailbox);
    if (request.probe)
      return {
        index,
        kind: 'sent',
        status: { code: '2.0.0', reason: mailbox.isMaildir ? 'delivers to maildir' : 'delivers to mailbox' },
      };
    const { now, hostname, deliverers } = this.#options;
    const content = mailboxCopy(request, recipient, address, {
      sender: request.envelope.sender,
      prependsDelivered: true,
      showsOriginal: this.#showsOriginal,
      form: mailbox.isMaildir ? 'plain' : 'mbox',
      now: now(),
    });
    const result = asWritten(
      await deliverers.run(
        mailbox.uid,
        mailbox.gid,
        mailbox.isMaildir
          ? { kind: 'maildir', path: mailbox.path, hostname }
          : {
              kind: 'mailbox',
              path: mailbox.path,
              locks: this.#locks,
              sizeLimit: this.#sizeLimit,
              isFileDestination: false,
              owner: this.#isOwnerStrict ? mailbox.uid : undefined,
            },
        content,
      ),
    );
    for (const text of result.warnings) this.#options.events.emit({ kind: 'warning', text });
    if (result.kind === 'ok') {
      return {
        index,
        kind: 'sent',
        status: { code: '2.0.0', reason: mailbox.isMaildir ? 'delivered to maildir' : 'delivered to mailbox' },
        action: 'delivered',
      };
    }
    const what = mailbox.isMaildir ? 'maildir delivery failed' : `delivery failed to mailbox ${mailbox.path}`;
    if (result.isNotRegular === true) {
      const warning = `recipient ${address}: destination ${mailbox.path} is not a regular file`;
      this.#options.events.emit({ kind: 'warning', text: warning });
      return failed('bounced', { code: '5.3.5', reason: `${what}: mail system configuration error` });
    }
    const code = result.code === '' ? '4.2.0' : result.code;
    return failed(code.startsWith('5') ? 'bounced' : 'deferred', { code, reason: `${what}: ${result.reason}` });
  }

  async #find(address: string): Promise<Mailbox | Status> {
    const found = await findByAddress(this.#maps, address, this.#lookup);
    if (found.kind === 'failed')
      return this.#misconfigured(`table virtual_mailbox_maps: lookup ${address}: Application error`);
    const { localPart, domain } = splitAddress(address);
    const value = found.kind === 'found' ? found.value : this.#catchallPath(localPart, domain);
    if (value === undefined) return { code: '5.1.1', reason: `unknown user: "${address}"` };
    if (localPart === '' || domain === '') return { code: '5.1.3', reason: `bad address syntax` };
    const path = `${this.#base}/${value}`;
    const uid = await this.#number('uid', this.#uids, address, this.#minimumUid);
    if (typeof uid !== 'number') return uid;
    const gid = await this.#number('gid', this.#gids, address, 1);
    if (typeof gid !== 'number') return gid;
    return { path, isMaildir: value.endsWith('/'), uid, gid };
  }

  /** posthorn_catchall_maildir for one recipient; undefined when it is off, or the name can't be a file's. */
  #catchallPath(localPart: string, domain: string): string | undefined {
    if (this.#catchall === '' || !/^[\w+=-][\w.+=-]*$/.test(localPart)) return undefined;
    return this.#catchall.replaceAll('$user', localPart.toLowerCase()).replaceAll('$domain', domain.toLowerCase());
  }

  async #number(what: 'uid' | 'gid', tables: TableList, address: string, minimum: number): Promise<number | Status> {
    const parameter = `virtual_${what}_maps`;
    const found = await findByAddress(tables, address, this.#lookup);
    if (found.kind !== 'found') return this.#misconfigured(`recipient ${address}: not found in ${parameter}`);
    const value = Number(found.value);
    if (Number.isInteger(value) && value >= minimum) return value;
    return this.#misconfigured(`recipient ${address}: bad ${what} ${found.value} in ${parameter}`);
  }

  #misconfigured(warning: string): Status {
    this.#options.events.emit({ kind: 'warning', text: warning });
    return configurationTrouble;
  }
}

/** Throws ConfigError when virtual_mailbox_base is not absolute. */
export function createVirtualAgent(options: VirtualAgentOptions): DeliveryAgent {
  const { settings } = options;
  const base = settings.string('virtual_mailbox_base');
  if (base !== '' && !base.startsWith('/'))
    throw badSetting(settings, 'virtual_mailbox_base', 'write an absolute path');
  const problem = mailboxLimitProblem(settings, 'virtual_mailbox_limit');
  return problem === undefined ? new VirtualAgent(options) : createStoppedAgent(problem, options);
}
