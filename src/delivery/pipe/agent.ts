/** pipe(8): gives messages to external commands. */
import { toExternal } from '#address';
import type { ServiceEntry, Settings } from '#config';
import type { EventChannel } from '#events';
import {
  concludedAs,
  type DeliveryAgent,
  type DeliveryRequest,
  type Finding,
  failureKind,
  type Outcome,
  type RequestRecipient,
  type Status,
} from '#message';
import type { TableOpener } from '#tables';
import { commandOutcome } from '../command-outcome.ts';
import type { DelivererPool } from '../deliverer.ts';
import { logOutcome } from '../log-outcome.ts';
import { deliveredToFields, fromLine } from '../mailbox-copy.ts';
import type { MailboxCopy } from '../shaped-copy.ts';
import { openStatusFilter, type StatusFilter } from '../status-filter.ts';
import { commandArguments } from './arguments.ts';
import { type PipeSettings, readPipeSettings } from './settings.ts';

export interface PipeAgentOptions {
  readonly entry: ServiceEntry;
  readonly settings: Settings;
  readonly deliverers: DelivererPool;
  readonly tables: TableOpener;
  readonly events: EventChannel;
  readonly now: () => number;
}

interface Result {
  readonly kind: Outcome['kind'];
  readonly code: string;
  readonly text: string;
  readonly diagnostic?: Status['diagnostic'];
}

/** How much is told, in characters, of what a command prints that succeeds. */
const mostShown = 100;

const misconfigured: Result = { kind: 'deferred', code: '4.3.5', text: 'mail system configuration error' };

/** The message as the flags want it. */
function copy(request: DeliveryRequest, { flags, lineEnd, nullSender }: PipeSettings, now: number): MailboxCopy {
  const sender = request.envelope.sender || nullSender;
  const [first] = request.recipients;
  const top =
    (flags.has('F') ? fromLine(sender, now) : '') +
    (flags.has('R') ? `Return-Path: <${toExternal(sender)}>\n` : '') +
    (flags.has('O') && first !== undefined && first.original !== ''
      ? `X-Original-To: ${toExternal(first.original)}\n`
      : '') +
    (flags.has('D') && first !== undefined ? `Delivered-To: ${toExternal(first.address)}\n` : '');
  const shape = {
    top,
    bottom: flags.has('B') ? '\n' : '',
    quotesFrom: flags.has('>'),
    stuffsDots: flags.has('.'),
    lineEnd,
  };
  return { shape, content: request.content.chunks() };
}

class PipeAgent implements DeliveryAgent {
  readonly #options: PipeAgentOptions;
  readonly #settings: PipeSettings;
  readonly #statusFilter: StatusFilter | undefined;

  constructor(options: PipeAgentOptions) {
    this.#options = options;
    this.#settings = readPipeSettings(options.entry, options.settings, options.deliverers.actsAsRoot);
    this.#statusFilter = openStatusFilter('pipe_delivery_status_filter', options);
  }

  async deliver(request: DeliveryRequest, report: (outcome: Outcome) => void): Promise<Record<string, never>> {
    const { flags } = this.#settings;
    const looping = flags.has('D') ? await this.#looping(request) : new Set<RequestRecipient>();
    for (const recipient of looping) {
      const text = `mail forwarding loop for ${toExternal(recipient.address)}`;
      await this.#conclude(request, recipient, { kind: 'bounced', code: '5.4.6', text }, report);
    }
    const recipients = request.recipients.filter((recipient) => !looping.has(recipient));
    if (recipients.length === 0) return {};
    const single = ['D', 'O'].find((flag) => flags.has(flag) && recipients.length > 1);
    const result = single === undefined ? await this.#run({ ...request, recipients }) : misconfigured;
    for (const recipient of recipients) await this.#conclude(request, recipient, result, report);
    if (single !== undefined) {
      const text = `pipe flag \`${single}' requires ${this.#settings.service}_destination_recipient_limit = 1`;
      this.#options.events.emit({ kind: 'warning', text });
    }
    return {};
  }

  async #looping(request: DeliveryRequest): Promise<ReadonlySet<RequestRecipient>> {
    const been = await deliveredToFields(request);
    return new Set(request.recipients.filter(({ address }) => been.has(toExternal(address).toLowerCase())));
  }

  async #run(request: DeliveryRequest): Promise<Result> {
    const { deliverers, now } = this.#options;
    const { service, uid, gid, refusal, sizeLimit, directory, environment, limitMs } = this.#settings;
    if (refusal !== undefined) {
      this.#options.events.emit({ kind: 'fatal', text: refusal });
      return misconfigured;
    }
    if (sizeLimit > 0 && request.sizeBytes > sizeLimit)
      return { kind: 'bounced', code: '5.2.3', text: 'message too large' };
    if (request.probe)
      return { kind: 'sent', code: '2.0.0', text: `delivers to command: ${this.#settings.argv[0] ?? ''}` };
    const command = commandArguments(request, this.#settings);
    if (typeof command === 'string') return this.#misconfigured(command);
    const ended = await deliverers.run(
      uid,
      gid,
      { kind: 'command', command, shell: '', environment, directory, limitMs },
      copy(request, this.#settings, now()),
    );
    if (ended.kind !== 'ended') {
      return { kind: 'deferred', code: '4.3.0', text: ended.kind === 'failed' ? ended.reason : 'no answer' };
    }
    const outcome = commandOutcome(ended, command[0] ?? '', 'pipe');
    if (outcome === 'delivered') {
      const printed = ended.output.trimEnd();
      const said = printed === '' ? '' : ` (${Array.from(printed).slice(0, mostShown).join('')})`;
      return { kind: 'sent', code: '2.0.0', text: `delivered via ${service} service${said}` };
    }
    for (const text of outcome.warnings) this.#options.events.emit({ kind: 'warning', text });
    if (outcome.fatal !== undefined) this.#options.events.emit({ kind: 'fatal', text: outcome.fatal });
    return {
      kind: failureKind(outcome.code),
      code: outcome.code,
      text: outcome.text,
      diagnostic: outcome.diagnostic,
    };
  }

  #misconfigured(warning: string): Result {
    this.#options.events.emit({ kind: 'warning', text: warning });
    return misconfigured;
  }

  async #conclude(
    request: DeliveryRequest,
    recipient: RequestRecipient,
    result: Result,
    report: (outcome: Outcome) => void,
  ): Promise<void> {
    const { code, text, diagnostic } = result;
    const own: Status = { code, reason: text, ...(diagnostic === undefined ? {} : { diagnostic }) };
    const found: Finding = (await this.#statusFilter?.apply(result.kind, own)) ?? { kind: result.kind, status: own };
    const { kind, status, logged } = concludedAs(found, request, this.#settings.softBounce);
    const { events, now } = this.#options;
    const relay = this.#settings.service;
    logOutcome(events, request, recipient, { logged, status, relay, now: now() });
    // with flag X this is where the message's way ends, else the command is one more hop
    const action = this.#settings.flags.has('X') ? 'delivered' : 'relayed';
    report({
      index: recipient.index,
      kind,
      status,
      relay,
      ...(kind === 'sent' ? { action } : {}),
    });
  }
}

/** Throws ConfigError when master.cf's entry can't be used. */
export function createPipeAgent(options: PipeAgentOptions): DeliveryAgent {
  return new PipeAgent(options);
}
