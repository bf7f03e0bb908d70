/** The commands of a transaction as text: XFORWARD, MAIL and RCPT with their parameters (RFC 5321, 1870, 6152, 3461, 6531, 8689). */
import { isAsciiText, quoteLocalPart, splitAddress, toExternal } from '#address';
import type { ClientAttributes, DeliveryRequest, Notify, RequestRecipient } from '#message';
import { encodeXtext } from '#smtp';
import type { ServerFeatures } from './features.ts';

/** How an address goes on the wire: after generic maps, quoted unless the settings say not to. */
export interface WireAddresses {
  readonly quote: boolean;
  readonly generic: (address: string) => string;
}

function wireAddress(address: string, { quote, generic }: WireAddresses): string {
  const mapped = generic(address);
  return quote ? toExternal(mapped) : mapped;
}

/** MAIL FROM. `withSize` is off when 8-bit content will be encoded: its size is not known yet. */
export function mailCommand(
  request: DeliveryRequest,
  features: ServerFeatures,
  addresses: WireAddresses,
  withSize: boolean,
): string {
  const { envelope } = request;
  let command = `MAIL FROM:<${wireAddress(envelope.sender, addresses)}>`;
  if (features.size && withSize) command += ` SIZE=${request.sizeBytes}`;
  if (features.eightBitMime && envelope.encoding === '8bit') command += ' BODY=8BITMIME';
  if (features.eightBitMime && envelope.encoding === '7bit') command += ' BODY=7BIT';
  if (features.dsn && envelope.envid !== '') command += ` ENVID=${encodeXtext(envelope.envid)}`;
  if (features.dsn && envelope.ret !== '') command += ` RET=${envelope.ret.toUpperCase()}`;
  if (features.smtpUtf8 && envelope.smtputf8) command += ' SMTPUTF8';
  if (features.requireTls) command += ' REQUIRETLS';
  return command;
}

/** RCPT TO. Without an ORCPT of the client's own, the address as it came in is told (smtp(8)). */
export function rcptCommand(
  request: DeliveryRequest,
  recipient: RequestRecipient,
  features: ServerFeatures,
  addresses: WireAddresses,
): string {
  let command = `RCPT TO:<${wireAddress(recipient.address, addresses)}>`;
  if (!features.dsn) return command;
  const original = recipient.dsnOriginal === '' ? ownOriginal(request, recipient) : recipient.dsnOriginal;
  if (original !== '') command += ` ORCPT=${encodeOriginal(original)}`;
  if (recipient.notify.length > 0) command += ` NOTIFY=${notifyWords(recipient.notify)}`;
  return command;
}

function ownOriginal(request: DeliveryRequest, recipient: RequestRecipient): string {
  if (recipient.original === '') return '';
  const { localPart, domain } = splitAddress(recipient.original);
  const quoted = domain === '' ? quoteLocalPart(localPart) : toExternal(recipient.original);
  const type = request.envelope.smtputf8 && !isAsciiText(quoted) ? 'utf-8' : 'rfc822';
  return `${type};${quoted}`;
}

/** Only the address is encoded, but a type never holds what needs it (RFC 3461, 4.2; RFC 6533, 3). */
function encodeOriginal(original: string): string {
  return original.toLowerCase().startsWith('utf-8;') ? encodeUtf8Xtext(original) : encodeXtext(original);
}

function notifyWords(notify: readonly Notify[]): string {
  const order: readonly Notify[] = ['never', 'success', 'failure', 'delay'];
  return order
    .filter((word) => notify.includes(word))
    .map((word) => word.toUpperCase())
    .join(',');
}

/** utf-8-addr-xtext of RFC 6533, 3: all that is not printable ASCII becomes `\x{HEX}`, which every server may get. */
function encodeUtf8Xtext(text: string): string {
  return text.replace(/[^!-~]|[+=\\]/gu, (char) => {
    const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(2, '0');
    return `\\x{${hex}}`;
  });
}

/** The XFORWARD commands for what the server wants to know and we know, in two lines at most (XFORWARD_README). */
export function xforwardCommands(
  request: DeliveryRequest,
  wanted: readonly string[],
): { readonly nameAddress: string | undefined; readonly protocolHelo: string | undefined } {
  const { logClient, rewriteContext, forwardedQueueId = request.queueId } = request.envelope;
  // mail of this machine has no client worth telling of
  const isLocal = logClient.address === '' || logClient.protocol === '';
  const pairs = (list: readonly (readonly [string, string])[]): string | undefined => {
    const known = list.filter(([name, value]) => wanted.includes(name) && value !== '');
    if (known.length === 0) return undefined;
    return `XFORWARD ${known.map(([name, value]) => `${name}=${encodeXtext(value)}`).join(' ')}`;
  };
  return {
    nameAddress: isLocal
      ? undefined
      : pairs([
          ['NAME', unlessUnknown(logClient, 'name')],
          ['ADDR', unlessUnknown(logClient, 'address')],
          ['PORT', unlessUnknown(logClient, 'port')],
        ]),
    protocolHelo: pairs([
      ['PROTO', isLocal ? '' : unlessUnknown(logClient, 'protocol')],
      ['HELO', isLocal ? '' : logClient.heloName],
      ['IDENT', isLocal ? '' : forwardedQueueId],
      ['SOURCE', rewriteContext === 'local' ? 'LOCAL' : 'REMOTE'],
    ]),
  };
}

function unlessUnknown(client: ClientAttributes, field: 'name' | 'address' | 'port' | 'protocol'): string {
  return client[field].toLowerCase() === 'unknown' ? '' : client[field];
}
