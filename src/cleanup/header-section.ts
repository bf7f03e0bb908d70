/** The header section of a message: checked, rewritten, thinned, completed. cleanup(8) */
import { setImmediate } from 'node:timers/promises';
import { type AddressToken, formatAddressHeader, parseAddressList, toExternal } from '#address';
import type { EventChannel } from '#events';
import { byteLengthOf, bytesOf, type Envelope, fieldBody, type MimeStructure, textOf } from '#message';
import { type MessageMaps, canonicalise } from './address-maps.ts';
import { readMimeField } from './body-reader.ts';
import { declares8bit } from './declared-encoding.ts';
import { clipField, fieldRole, type HeaderField, fieldsOf } from './header-fields.ts';
import type { Inspector } from './inspector.ts';
import { encodingField, isReplacedEncoding } from './input-conversion.ts';
import { missingFields } from './missing-fields.ts';
import { type Refusal, refuse } from './refusal.ts';
import type { CleanupSettings } from './settings.ts';
import { ready, type Steps } from './steps.ts';
import { noteTlsField, type TlsRequests } from './tls-requests.ts';

export interface HeaderSectionInput {
  /** Fields on top and the header section as received, up to its end if that is there; CRLF line ends. */
  readonly section: Buffer;
  readonly queueId: string;
  readonly envelope: Pick<Envelope, 'rewriteContext' | 'fullName' | 'arrivedAt' | 'requireTls'>;
  readonly sender: string;
  readonly maps: MessageMaps;
  readonly inspector: Inspector;
  readonly structure: MimeStructure;
  readonly events: EventChannel;
  /** A check refused the message or throws it away: the fields after it need no look. */
  readonly isOver: () => boolean;
  readonly refuse: (refusal: Refusal) => void;
}

export interface HeaderSectionResult {
  /** The fields as they go into the queue, without the empty line. */
  readonly header: Buffer;
  /** What follows the last field in the input: begins with the empty line where there was one. */
  readonly rest: Buffer;
  /** Message-Id as found or made; '' when none. */
  readonly messageId: string;
  readonly tls: Readonly<TlsRequests>;
  /** A field that the checks left declares content that is not 7-bit. */
  readonly declares8bit: boolean;
}

/** Half a million fields fit a header section, and nearly as many addresses: after so many others have their turn. */
const atOnce = 200;

/** What a header section was found to hold so far, fields and words of address lists. */
class WorkDone {
  #count = 0;

  /** Adds one; true when it is the turn of others. */
  isTurnOver(): boolean {
    this.#count += 1;
    return this.#count % atOnce === 0;
  }
}

/** Rewrites the addresses of a field; the field as it was when nothing changes. */
function* rewriteField(
  field: HeaderField,
  context: 'local' | 'remote',
  maps: MessageMaps,
  done: WorkDone,
): Steps<string> {
  const role = fieldRole(field.name);
  if (role === undefined) return field.text;
  const body = fieldBody(field.text).replaceAll('\r\n', '\n');
  const tokens = parseAddressList(body, maps.settings.headerTokenLimit);
  const rewritten: AddressToken[] = [];
  const known = new Map<string, string>();
  let changes = false;
  for (const token of tokens) {
    if (done.isTurnOver()) yield* ready(setImmediate());
    if (token.kind !== 'address') {
      rewritten.push(token);
      continue;
    }
    const { address, text, localPart } = token;
    const standard = maps.rewriter.rewrite(address, context, localPart);
    const result = known.get(standard) ?? (yield* canonicalise(standard, role, maps));
    known.set(standard, result);
    rewritten.push({ ...token, address: result });
    // needless or missing quotes are put right too
    changes ||= result !== address || toExternal(result) !== text;
  }
  if (!changes) return field.text;
  return formatAddressHeader(field.name, rewritten);
}

/** Whether this is mail whose header section is made to conform. postconf(5) remote_header_rewrite_domain */
function rewritesHeaders(
  { rewriteContext }: Pick<Envelope, 'rewriteContext'>,
  { remoteRewriteDomain }: CleanupSettings,
): boolean {
  return rewriteContext === 'local' || remoteRewriteDomain !== '';
}

/** What the fields that were read so far have told. */
interface Found {
  /** Names in lower case. */
  readonly present: Set<string>;
  readonly tls: TlsRequests;
  hops: number;
  messageId: string;
  declares8bit: boolean;
}

/** Takes the whole header section at once. */
export function* cleanHeaderSection(input: HeaderSectionInput): Steps<HeaderSectionResult> {
  const { section, envelope, maps, inspector, structure } = input;
  const { settings } = maps;
  const text = textOf(section);
  const fields = fieldsOf(text, settings.headerSizeLimit);
  const context = envelope.rewriteContext;
  const rewrites = rewritesHeaders(envelope, settings);
  const lines: string[] = [];
  const found: Found = {
    present: new Set(),
    tls: { requireTls: envelope.requireTls, tlsNotRequired: false },
    hops: 0,
    messageId: '',
    declares8bit: false,
  };
  let restAt = 0;
  const done = new WorkDone();
  for (;;) {
    const next = fields.next();
    if (next.done === true) {
      restAt = next.value;
      break;
    }
    const field = next.value;
    if (done.isTurnOver()) yield* ready(setImmediate());
    readMimeField(structure, inspector, settings, field);
    if (isReplacedEncoding(structure, settings, field.name)) continue;
    const checked = yield* inspector.header(field.name, field.text, 'primary');
    if (input.isOver()) break;
    if (checked.before !== undefined) lines.push(checked.before);
    if (checked.text === undefined) continue;
    const name = checked.text === field.text ? field.name : checked.text.slice(0, checked.text.indexOf(':')).trimEnd();
    const key = name.toLowerCase();
    noteField(key, checked.text, found, input);
    if (input.isOver()) break;
    if (settings.dropHeaders.has(key)) continue;
    const text = rewrites ? yield* rewriteField({ name, text: checked.text }, context, maps, done) : checked.text;
    lines.push(clipField(text, settings.headerSizeLimit, text !== checked.text));
  }
  if (!input.isOver()) yield* addEncoding(input, lines);
  // a message that is refused needs nothing more
  const made = input.isOver() ? '' : completeHeader(input, found, lines);
  const header = bytesOf(lines.map((line) => `${line}\r\n`).join(''));
  const isAll = restAt === text.length;
  const rest = section.subarray(isAll ? section.length : byteLengthOf(text.slice(0, restAt)));
  const { tls, declares8bit } = found;
  return { header, rest, messageId: found.messageId || made, tls, declares8bit };
}

/** Notes what a field says of the message. Refuses mail that has gone through too many hands. hopcount_limit */
function noteField(key: string, text: string, found: Found, input: HeaderSectionInput): void {
  const { maps, queueId, events } = input;
  const { settings } = maps;
  found.present.add(key);
  found.declares8bit ||= declares8bit(key, text);
  if (key === 'received') {
    found.hops += 1;
    if (found.hops >= settings.hopcountLimit) {
      events.emit({ kind: 'warning', text: `${queueId}: message rejected: hopcount exceeded` });
      input.refuse(refuse('hops'));
    }
  } else if (key === 'message-id' || key === 'resent-message-id') {
    const id = fieldBody(text).replaceAll('\r\n', '\n').trim();
    if (key === 'message-id') found.messageId ||= id;
    events.emit({ kind: 'messageId', queueId, messageId: id, isResent: key !== 'message-id' });
  }
  if (!noteTlsField(key, text, settings, found.tls))
    events.emit({ kind: 'warning', text: `ignoring malformed header: '${text.slice(0, 100)}'` });
}

/** The encoding that converted content has, checked like other fields. */
function* addEncoding({ structure, inspector, maps }: HeaderSectionInput, lines: string[]): Steps<void> {
  const made = encodingField(structure, maps.settings);
  if (made === undefined) return;
  const { before, text } = yield* inspector.header('', made, 'primary');
  for (const line of [before, text]) if (line !== undefined) lines.push(line);
}

/** Adds what is missing to `lines`; gives the Message-Id that was made. */
function completeHeader(input: HeaderSectionInput, { present, messageId, tls }: Found, lines: string[]): string {
  const { queueId, envelope, maps, events, sender } = input;
  const { settings } = maps;
  const adds = rewritesHeaders(envelope, settings) || settings.alwaysAddMissing;
  const missing = adds ? missingFields({ present, envelope, sender, queueId, settings }) : undefined;
  lines.push(...(missing?.lines ?? []));
  if (missing?.isNameLost === true) {
    const text = `${queueId}: full_name_encoding_charset: bad charset name "${settings.fullNameCharset}"; full name left out`;
    events.emit({ kind: 'warning', text });
  }
  // for content filters that know no REQUIRETLS
  if (tls.requireTls && settings.requireTlsField && !present.has('require-tls-esmtp'))
    lines.push('Require-TLS-ESMTP: yes');
  const made = missing?.messageId ?? '';
  if (made !== '') events.emit({ kind: 'messageId', queueId, messageId: made, isResent: missing?.isResent === true });
  if (!present.has('message-id') && (made === '' || missing?.isResent === true))
    events.emit({ kind: 'messageId', queueId, messageId: messageId || '<>', isResent: false });
  return missing?.isResent === true ? '' : made;
}
