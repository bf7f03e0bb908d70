/**
 * What a message must look like on its way out to a given server: generic addresses, checks, headers of delivery, encoding.
 *
 * Decides before the first command whether the message can go to this server at all, and whether its content goes as it
 * is stored.
 */
import { isAsciiText, toExternal } from '#address';
import type { DeliveryRequest, Status } from '#message';
import type { Connection } from './connection.ts';
import type { WireAddresses } from './envelope-commands.ts';
import type { ServerFeatures } from './features.ts';
import {
  genericAddresses,
  genericHeader,
  type GenericOptions,
  type GenericRules,
  isAddressHeader,
  openGenericRules,
} from './generic-addresses.ts';
import {
  checkClass,
  openOutputChecks,
  type OutputChecks,
  type OutputChecksOptions,
  runCheck,
} from './output-checks.ts';
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
  | { readonly kind: 'refused'; readonly status: Status }
  /** The server lacks what the message can't go without. */
  | { readonly kind: 'lacking'; readonly status: Status };

export interface OutputRules {
  prepare(attempt: Attempt, connection: Connection, features: ServerFeatures): Promise<PreparedContent>;
}

export interface OutputRulesOptions extends GenericOptions, OutputChecksOptions {}

interface Rules {
  readonly settings: SmtpSettings;
  readonly generics: GenericRules;
  readonly outputChecks: OutputChecks;
}

/** Opens the tables of a service. */
export function openOutputRules(options: OutputRulesOptions): OutputRules {
  const { settings } = options;
  const rules = { settings, generics: openGenericRules(options), outputChecks: openOutputChecks(options) };
  const plain: WireAddresses = { quote: settings.quoteEnvelope, generic: (address) => address };
  return {
    async prepare(attempt, connection, features) {
      const { request } = attempt;
      if (request.envelope.smtputf8 && !features.smtpUtf8 && (await needsUtf8(attempt))) {
        const reason =
          'message requires SMTPUTF8, but no server was found that supports SMTPUTF8. ' +
          `The last attempted server was ${connection.name}`;
        return { kind: 'lacking', status: { code: '5.6.7', reason } };
      }
      const addresses = rules.generics.generic.isEmpty ? plain : await genericAddresses(rules.generics, attempt);
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
  if (!isAsciiText(request.envelope.sender) || recipients.some(({ address }) => !isAsciiText(address))) return true;
  let left = request.content.headerBytes;
  for await (const chunk of request.content.chunks()) {
    const head = chunk.subarray(0, left);
    if (head.some((byte) => byte > 0x7f)) return true;
    left -= head.length;
    if (left <= 0) break;
  }
  return false;
}

function converterFor(
  rules: Rules,
  request: DeliveryRequest,
  features: ServerFeatures,
  addresses: WireAddresses,
): OutputConverter | undefined {
  const { settings, outputChecks } = rules;
  const { generic } = rules.generics;
  const { checks, hasHeaderChecks } = outputChecks;
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
        ? (header, headerClass, isMade) => editHeader(rules, request.queueId, { header, headerClass, isMade })
        : undefined,
    editBody: checks.body.list.isEmpty ? undefined : (line) => runCheck(outputChecks, request.queueId, 'body', line),
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
  return lines;
}

interface OutputHeader {
  readonly header: string;
  readonly headerClass: HeaderClass;
  /** Made by the conversion, not found in the message. */
  readonly isMade: boolean;
}

async function editHeader(
  rules: Rules,
  queueId: string,
  { header, headerClass, isMade }: OutputHeader,
): Promise<Edited> {
  const name = header.slice(0, header.indexOf(':')).trim();
  const { generics, outputChecks } = rules;
  const lines = outputChecks.hasHeaderChecks
    ? await runCheck(outputChecks, queueId, checkClass(name, headerClass, isMade), header)
    : [header];
  if (generics.generic.isEmpty || headerClass !== 'primary' || !isAddressHeader(name)) return lines;
  // what was put in front stays as the check wrote it; the header itself comes last
  const last = lines.at(-1);
  if (last === undefined) return lines;
  return [...lines.slice(0, -1), await genericHeader(generics, name, last)];
}
