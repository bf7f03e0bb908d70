/** The envelope of a queued message as Postfix's records, which have addresses without quotes. */
import type { MaildropEnvelope, Notify, Recipient } from '#message';
import type { QueuedMessage, RecipientPart } from '#store';
import { arrivalRecord, attributeRecords, createTimeRecord, type QueueRecord, record, recordSize } from './records.ts';

type Attribute = readonly [name: string, value: string];

const retFlags = { '': '', full: '1', hdrs: '2' } as const;
const notifyFlags = { never: 1, success: 2, failure: 4, delay: 8 } as const;
const traceFlags = { '': '', verify: '256', record: '1024' } as const;

const flagsOf = (notify: readonly Notify[]): number => notify.reduce((sum, word) => sum | notifyFlags[word], 0);

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

/** What sending has to heed, as the bits that Postfix keeps: SMTPUTF8, `TLS-Required: no`, REQUIRETLS. */
function sendOptions({ smtputf8, tlsNotRequired, requireTls }: QueuedMessage['envelope']): number {
  return (smtputf8 ? 0x01 : 0) | (tlsNotRequired === true ? 0x10 : 0) | (requireTls ? 0x20 : 0);
}

/** Message and envelope up to the recipients, but for the record in front, which tells how long all this is. */
function senderRecords(message: QueuedMessage): readonly QueueRecord[] {
  const { queueId, envelope } = message;
  const { sasl, encoding, fullName, verp, contentFilter, arrivedAt } = envelope;
  const isFromClient = envelope.uid === undefined && envelope.logClient.address !== '';
  // what the mail system itself writes
  const isOwn = envelope.uid === undefined && !isFromClient;
  const context: Attribute = isOwn ? ['log_message_origin', 'local'] : ['rewrite_context', envelope.rewriteContext];
  const trace = traceFlags[envelope.trace];
  const returns: readonly Attribute[] = [
    ['envelope_id', envelope.envid],
    ['ret_flags', retFlags[envelope.ret]],
  ];
  return [
    arrivalRecord(arrivedAt),
    createTimeRecord(arrivedAt),
    ...attributeRecords([
      ['log_ident', isFromClient ? (envelope.forwardedQueueId ?? queueId) : ''],
      // pickup(8) copies what the submitter wrote, and adds the context behind it
      ...(isFromClient ? [context] : returns),
      ['sasl_method', sasl?.method ?? ''],
      ['sasl_username', sasl?.username ?? ''],
      ['sasl_sender', sasl?.sender ?? ''],
      ...(isFromClient ? returns : [context]),
      ['trace_flags', isOwn ? trace || '0' : ''],
    ]),
    ...(fullName === '' ? [] : [record('F', fullName)]),
    ...(contentFilter === '' ? [] : [record('L', contentFilter)]),
    record('S', envelope.sender),
    ...(isFromClient || isOwn ? [] : attributeRecords([['trace_flags', trace]])),
    ...(verp === '' ? [] : [record('V', verp)]),
    ...(isFromClient ? attributeRecords([['encoding', encoding], ...clientAttributes(message)]) : []),
  ];
}

/** Bytes of the record in front: type, length, six numbers of 15 digits. */
const sizeRecordBytes = 97;
/** The mark between envelope and content has no data. */
const markBytes = 2;

/** What stands before the recipients. */
export function envelopeRecords(message: QueuedMessage): readonly QueueRecord[] {
  const { envelope, recipients, sizeBytes } = message;
  const others = senderRecords(message);
  let contentOffset = sizeRecordBytes + markBytes;
  for (const { data } of others) contentOffset += recordSize(data.length);
  let notify = 0;
  for (const part of recipients.all()) {
    for (const { data } of recipientRecords(part)) contentOffset += recordSize(data.length);
    for (const recipient of part) notify |= flagsOf(recipient.notify);
  }
  // qmgr(8) has use for what was asked of any recipient
  const queueFlags = notify << 1;
  const numbers = [sizeBytes, contentOffset, recipients.total, queueFlags, sizeBytes, sendOptions(envelope)];
  return [record('C', numbers.map((n) => String(n).padStart(15)).join(' ')), ...others];
}

/** Recipients with what goes for each of them. */
export function recipientRecords(recipients: RecipientPart): readonly QueueRecord[] {
  return recipients.flatMap((recipient) => [
    ...dsnRecords(recipient),
    ...(recipient.original === '' ? [] : [record('O', recipient.original)]),
    record(recipient.state === 'done' ? 'D' : 'R', recipient.address),
  ]);
}

function dsnRecords({ notify, dsnOriginal }: Pick<Recipient, 'notify' | 'dsnOriginal'>): readonly QueueRecord[] {
  return attributeRecords([
    ['notify_flags', notify.length === 0 ? '' : String(flagsOf(notify))],
    ['dsn_orig_rcpt', dsnOriginal],
  ]);
}

/** What cleanup(8) says once the header section is read. */
export function extractedRecords({ envelope }: QueuedMessage): readonly QueueRecord[] {
  return attributeRecords([['encoding', envelope.encoding]]);
}

/** A message that pickup(8) has not taken up yet. postdrop(1) */
export function maildropRecords(envelope: MaildropEnvelope): readonly QueueRecord[] {
  return [
    arrivalRecord(envelope.createdAt),
    ...attributeRecords([
      ['envelope_id', envelope.envid],
      ['ret_flags', retFlags[envelope.ret]],
      ['rewrite_context', envelope.rewriteContext],
    ]),
    ...(envelope.fullName === '' ? [] : [record('F', envelope.fullName)]),
    record('S', envelope.sender),
    ...attributeRecords([
      ['trace_flags', traceFlags[envelope.trace]],
      ['encoding', envelope.encoding],
    ]),
    ...(envelope.verp === '' ? [] : [record('V', envelope.verp)]),
    ...envelope.recipients.flatMap((recipient) => [...dsnRecords(recipient), record('R', recipient.address)]),
  ];
}
