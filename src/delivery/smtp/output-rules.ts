/**
 * What a message must look like on its way out to a given server: generic addresses, checks, headers of delivery, encoding.
 *
 * Decides before the first command whether the message can go to this server at all, and whether its content goes as it
 * is stored.
 */
import { addressesOf, formatAddressHeader, mapAddresses, parseAddressList, toExternal } from '#address';
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { DeliveryRequest, MaybePromise, Status } from '#message';
import { mapAddress, type MatchList, type TableList, type TableOpener } from '#tables';
import type { Connection } from './connection.ts';
import { isAscii, type WireAddresses } from './envelope-commands.ts';
import type { ServerFeatures } from './features.ts';
import { type Edited, type HeaderClass, OutputConverter } from './output-converter.ts';
import type { SmtpSettings } from './settings.ts';
import type { Attempt } from './trouble.ts';

export type PreparedContent =
  | {
      readonly kind: 'ready';
      readonly addresses: WireAddresses;
      /** undefined: the content goes as it is stored. */
      readonly converter: OutputConverter | undefined;
    }
  | { readonly kind: 'refused'; readonly status: Status };

export interface OutputRules {
  prepare(attempt: Attempt, connection: Connection, features: ServerFeatures): Promise<PreparedContent>;
}

export interface OutputRulesOptions {
  readonly tables: TableOpener;
  readonly settings: SmtpSettings;
  readonly mainSettings: Settings;
  readonly rewriter?: { rewrite(address: string, context: 'local' | 'remote'): string };
  readonly events: EventChannel;
  readonly warn: (text: string) => void;
}

interface Rules extends OutputRulesOptions {
  readonly generic: TableList;
  readonly localDomains: MatchList;
  readonly checks: Readonly<Record<HeaderClass | 'body', { readonly parameter: string; readonly list: TableList }>>;
  readonly hasHeaderChecks: boolean;
}

/** Opens the tables of a service. */
export function openOutputRules(options: OutputRulesOptions): OutputRules {
  const { tables, settings, mainSettings } = options;
  const check = (name: string, elements: SmtpSettings['tables']['headerChecks']) => ({
    parameter: settings.parameter(name),
    list: tables.list(elements),
  });
  const checks = {
    primary: check('header_checks', settings.tables.headerChecks),
    part: check('mime_header_checks', settings.tables.mimeHeaderChecks),
    nested: check('nested_header_checks', settings.tables.nestedHeaderChecks),
    body: check('body_checks', settings.tables.bodyChecks),
  };
  const rules: Rules = {
    ...options,
    generic: tables.list(settings.tables.generic),
    localDomains: tables.matchList('mydestination', 'domain', mainSettings.elements('mydestination')),
    checks,
    hasHeaderChecks: ![checks.primary, checks.part, checks.nested].every(({ list }) => list.isEmpty),
  };
  const plain: WireAddresses = { quote: settings.quoteEnvelope, generic: (address) => address };
  return {
    async prepare(attempt, connection, features) {
      const { request } = attempt;
      if (request.envelope.smtputf8 && !features.smtpUtf8 && (await needsUtf8(attempt))) {
        const reason = `SMTPUTF8 is required, but was not offered by host ${connection.name}`;
        return { kind: 'refused', status: { code: '5.6.7', reason } };
      }
      const addresses = rules.generic.isEmpty ? plain : await genericAddresses(rules, attempt);
      if (addresses === undefined) {
        const reason = `local data error while talking to ${connection.name}`;
        return { kind: 'refused', status: { code: '4.3.0', reason } };
      }
      return { kind: 'ready', addresses, converter: converterFor(rules, request, features, addresses) };
    },
  };
}

/** Whether an address or a header holds what only SMTPUTF8 can carry (RFC 6531, 3.4). */
async function needsUtf8({ request, recipients }: Attempt): Promise<boolean> {
  if (!isAscii(request.envelope.sender) || recipients.some(({ address }) => !isAscii(address))) return true;
  let left = request.content.headerBytes;
  for await (const chunk of request.content.chunks()) {
    const head = chunk.subarray(0, left);
    if (head.some((byte) => byte > 0x7f)) return true;
    left -= head.length;
    if (left <= 0) break;
  }
  return false;
}

/** The wire form of all addresses of the envelope; undefined when a table failed. */
async function genericAddresses(rules: Rules, { request, recipients }: Attempt): Promise<WireAddresses | undefined> {
  const known = new Map<string, string>();
  for (const address of [request.envelope.sender, ...recipients.map((one) => one.address)]) {
    if (address === '' || known.has(address)) continue;
    const mapped = await genericAddress(rules, address);
    if (mapped === undefined) return undefined;
    known.set(address, mapped);
  }
  return { quote: rules.settings.quoteEnvelope, generic: (address) => known.get(address) ?? address };
}

/** smtp_generic_maps for one address, which may be its own answer; undefined when a table failed. generic(5) */
async function genericAddress(rules: Rules, address: string): Promise<string | undefined> {
  const { settings, mainSettings, generic, localDomains, rewriter } = rules;
  const origin = mainSettings.string('myorigin').toLowerCase();
  const result = await mapAddress(generic, address, {
    recipientDelimiter: settings.recipientDelimiter,
    ownerRequestSpecial: mainSettings.bool('owner_request_special'),
    doubleBounceName: mainSettings.string('double_bounce_sender'),
    isLocalDomain: (domain) => (domain.toLowerCase() === origin ? 'yes' : localDomains.matches(domain)),
    propagatesExtension: settings.propagateGenericExtension,
    complete: (text) => rewriter?.rewrite(text, 'local') ?? text,
  });
  if (result.kind === 'failed') {
    rules.warn(`${settings.parameter('generic_maps')} map lookup problem for ${address}`);
    return undefined;
  }
  return result.kind === 'mapped' ? (result.addresses[0] ?? address) : address;
}

function converterFor(
  rules: Rules,
  request: DeliveryRequest,
  features: ServerFeatures,
  addresses: WireAddresses,
): OutputConverter | undefined {
  const { settings, generic, checks, hasHeaderChecks } = rules;
  const downgrade = settings.mimeConversion && !features.eightBitMime && request.envelope.encoding !== '7bit';
  const prepend = deliveryHeaders(settings, request, addresses);
  const hasChecks = hasHeaderChecks || !checks.body.list.isEmpty;
  if (!downgrade && generic.isEmpty && !hasChecks && prepend.length === 0) return undefined;
  return new OutputConverter({
    downgrade,
    mimeOff: !downgrade && !hasChecks,
    limits: settings.mimeLimits,
    prepend,
    editHeader:
      hasHeaderChecks || !generic.isEmpty
        ? (header, headerClass) => editHeader(rules, request.queueId, header, headerClass)
        : undefined,
    editBody: checks.body.list.isEmpty ? undefined : (line) => runCheck(rules, request.queueId, 'body', line),
    bodyCheckBytes: settings.bodyCheckBytes,
  });
}

/** Headers that master.cf `flags=` asks for, in the order of a mailbox (smtp(8), lmtp(8)). */
function deliveryHeaders(settings: SmtpSettings, request: DeliveryRequest, addresses: WireAddresses): string[] {
  const [recipient] = request.recipients;
  const shown = (address: string): string => toExternal(addresses.generic(address));
  const lines: string[] = [];
  if (settings.addReturnPath) lines.push(`Return-Path: <${shown(request.envelope.sender)}>`);
  if (settings.addOriginalTo) lines.push(`X-Original-To: ${shown(recipient?.original ?? '')}`);
  if (settings.addDeliveredTo) lines.push(`Delivered-To: ${shown(recipient?.address ?? '')}`);
  return lines.map((line) => Buffer.from(line, 'utf8').toString('latin1'));
}

async function editHeader(rules: Rules, queueId: string, header: string, headerClass: HeaderClass): Promise<Edited> {
  const name = header.slice(0, header.indexOf(':')).trim();
  const lines = rules.hasHeaderChecks
    ? await runCheck(rules, queueId, checkClass(name, headerClass), header)
    : [header];
  if (rules.generic.isEmpty || headerClass !== 'primary' || !addressHeaders.has(name.toLowerCase())) return lines;
  // what was put in front stays as the check wrote it; the header itself comes last
  const last = lines.at(-1);
  if (last === undefined) return lines;
  return [...lines.slice(0, -1), await genericHeader(rules, name, last)];
}

/** MIME headers of the message itself belong to mime_header_checks (header_checks(5)). */
function checkClass(name: string, headerClass: HeaderClass): HeaderClass {
  return headerClass === 'primary' && /^(?:content-|mime-version$)/i.test(name) && mimeHeaders.has(name.toLowerCase())
    ? 'part'
    : headerClass;
}

const mimeHeaders: ReadonlySet<string> = new Set([
  'content-description',
  'content-disposition',
  'content-id',
  'content-transfer-encoding',
  'content-type',
  'mime-version',
]);

const addressHeaders: ReadonlySet<string> = new Set([
  'apparently-to',
  'bcc',
  'cc',
  'disposition-notification-to',
  'errors-to',
  'from',
  'mail-followup-to',
  'mail-reply-to',
  'reply-to',
  'resent-bcc',
  'resent-cc',
  'resent-from',
  'resent-reply-to',
  'resent-sender',
  'resent-to',
  'return-path',
  'return-receipt-to',
  'sender',
  'to',
]);

async function genericHeader(rules: Rules, name: string, header: string): Promise<string> {
  const body = Buffer.from(header.slice(header.indexOf(':') + 1), 'latin1').toString('utf8');
  const tokens = parseAddressList(body);
  const mapped = new Map<string, string>();
  for (const address of addressesOf(tokens)) {
    const result = await genericAddress(rules, address);
    if (result !== undefined && result !== address) mapped.set(address, result);
  }
  if (mapped.size === 0) return header;
  const text = formatAddressHeader(
    name,
    mapAddresses(tokens, (address) => mapped.get(address) ?? address),
  );
  return Buffer.from(text.replace(/\r?\n$/, '').replaceAll('\r\n', '\n'), 'utf8').toString('latin1');
}

/** One line or header through its check. The last of the lines given back is the line itself, unless it was taken out. */
function runCheck(rules: Rules, queueId: string, kind: HeaderClass | 'body', content: string): MaybePromise<Edited> {
  const { list } = rules.checks[kind];
  if (list.isEmpty) return [content];
  const found = list.lookup(Buffer.from(content, 'latin1').toString('utf8'));
  const act = (result: Awaited<typeof found>): Edited => {
    if (result.kind === 'missing') return [content];
    if (result.kind === 'failed')
      throw new CheckFailure(`smtp ${kind === 'body' ? 'body' : 'header'} checks lookup error`);
    return applyAction(rules, queueId, kind, content, result.value);
  };
  return found instanceof Promise ? found.then(act) : act(found);
}

/** A check table that can't be read: the message waits. Caught where the content is written. */
export class CheckFailure extends Error {}

/** The actions that make sense on delivery (header_checks(5)); others are warned of and count as none. */
function applyAction(
  rules: Rules,
  queueId: string,
  kind: HeaderClass | 'body',
  content: string,
  value: string,
): Edited {
  const [, word = '', text = ''] = /^(\S*)\s*(.*)$/s.exec(value) ?? [];
  const { parameter } = rules.checks[kind];
  const part = kind === 'body' ? 'body' : 'header';
  const tell = (action: string): void => {
    const shown = Buffer.from(content, 'latin1').toString('utf8');
    rules.events.emit({ kind: 'outputCheck', queueId, action, part, content: shown, text });
  };
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const isUsable = (): boolean => {
    if (text === '') rules.warn(`${word.toUpperCase()} action without text in ${parameter} map`);
    else if (part === 'header' && !/^[!-9;-~]+[ \t]*:/.test(text)) {
      rules.warn(
        `bad ${word.toUpperCase()} header text "${text}" in ${parameter} map -- need "headername: headervalue"`,
      );
    } else return true;
    return false;
  };
  switch (word.toUpperCase()) {
    case 'DUNNO':
      return [content];
    case 'IGNORE':
      return [];
    case 'STRIP':
      tell('strip');
      return [];
    case 'WARN':
      tell('warning');
      return [content];
    case 'INFO':
      tell('info');
      return [content];
    case 'REPLACE':
      if (!isUsable()) return [content];
      tell('replace');
      return [bytes];
    case 'PREPEND':
      if (!isUsable()) return [content];
      tell('prepend');
      return [bytes, content];
    default:
      rules.warn(`unsupported command in ${parameter} map: ${value}`);
      return [content];
  }
}
