/** The envelope of a queued message as postcat(1) shows it: Postfix's names for its records. */
import { toExternal } from '#address';
import type { QueuedMessage, RecipientPart } from '#store';

/** asctime(3), local time. */
function asciiTime(at: number): string {
  const [day = '', month = '', date = '', year = '', clock = ''] = new Date(at).toString().split(' ');
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${clock} ${year}`;
}

type Attribute = readonly [name: string, value: string];

const retFlags = { '': '', full: '1', hdrs: '2' } as const;
const notifyFlags = { never: 1, success: 2, failure: 4, delay: 8 } as const;

/** As smtpd(8) knows the client: for the log as XFORWARD said, and as it was. */
function clientAttributes({ envelope }: QueuedMessage): readonly Attribute[] {
  const { client, logClient } = envelope;
  return [
    ['log_client_name', logClient.name],
    ['log_client_address', logClient.address],
    ['log_client_port', logClient.port],
    ['log_message_origin', `${logClient.name}[${logClient.address}]`],
    ['log_helo_name', logClient.heloName],
    ['log_protocol_name', logClient.protocol],
    ['client_name', client.name],
    ['reverse_client_name', client.reverseName],
    ['client_address', client.address],
    ['client_port', client.port],
    ['server_address', client.serverAddress],
    ['server_port', client.serverPort],
    ['helo_name', client.heloName],
    ['protocol_name', client.protocol],
    // AF_INET6 and AF_INET of Linux
    ['client_address_type', client.address.includes(':') ? '10' : '2'],
  ];
}

const attributeLines = (attributes: readonly Attribute[]): readonly string[] =>
  attributes.filter(([, value]) => value !== '').map(([name, value]) => `named_attribute: ${name}=${value}`);

/** What sending has to heed, as the bits that Postfix keeps: SMTPUTF8, `TLS-Required: no`, REQUIRETLS. */
function sendOptions({ smtputf8, tlsNotRequired, requireTls }: QueuedMessage['envelope']): number {
  return (smtputf8 ? 0x01 : 0) | (tlsNotRequired === true ? 0x10 : 0) | (requireTls ? 0x20 : 0);
}

/** What stands before the recipients. */
export function envelopeLines(message: QueuedMessage): readonly string[] {
  const { queueId, envelope, recipients, sizeBytes, content } = message;
  const { sasl, encoding, fullName, verp, contentFilter } = envelope;
  const numbers = [sizeBytes, 0, recipients.total, 0, content.sizeBytes, sendOptions(envelope)];
  const isFromClient = envelope.uid === undefined && envelope.logClient.address !== '';
  const encoded: Attribute = ['encoding', encoding];
  return [
    `message_size: ${numbers.map((n) => String(n).padStart(15)).join(' ')}`,
    `message_arrival_time: ${asciiTime(envelope.arrivedAt)}`,
    `create_time: ${asciiTime(envelope.arrivedAt)}`,
    ...attributeLines([
      ['log_ident', isFromClient ? queueId : ''],
      ['rewrite_context', envelope.rewriteContext],
      ['sasl_method', sasl?.method ?? ''],
      ['sasl_username', sasl?.username ?? ''],
      ['sasl_sender', sasl?.sender ?? ''],
      ['envelope_id', envelope.envid],
      ['ret_flags', retFlags[envelope.ret]],
      ...(isFromClient ? [] : [encoded]),
    ]),
    ...(fullName === '' ? [] : [`sender_fullname: ${fullName}`]),
    ...(contentFilter === '' ? [] : [`content_filter: ${contentFilter}`]),
    `sender: ${toExternal(envelope.sender)}`,
    ...(verp === '' ? [] : [`verp_delimiters: ${verp}`]),
    ...(isFromClient ? attributeLines([encoded, ...clientAttributes(message)]) : []),
  ];
}

/** Recipients with what goes for each of them. */
export function recipientLines(recipients: RecipientPart): readonly string[] {
  return recipients.flatMap(({ address, original, dsnOriginal, notify, state }) => [
    ...attributeLines([
      ['notify_flags', notify.length === 0 ? '' : String(notify.reduce((sum, word) => sum + notifyFlags[word], 0))],
      ['dsn_orig_rcpt', dsnOriginal],
    ]),
    ...(original === '' ? [] : [`original_recipient: ${toExternal(original)}`]),
    `${state === 'done' ? 'done_recipient' : 'recipient'}: ${toExternal(address)}`,
  ]);
}

/** What cleanup(8) says once the header section is read. */
export function extractedLines({ envelope }: QueuedMessage): readonly string[] {
  return attributeLines([['encoding', envelope.encoding]]);
}
