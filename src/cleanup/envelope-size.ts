/**
 * The size of what a queue file of Postfix holds beside the content: message_size_limit is a bound on all of it. Each
 * record has a byte for its type and one or two for its length. postconf(5) message_size_limit
 */
import { toExternal } from '#address';
import type { Envelope, Notify, Recipient } from '#message';

/** The record of sizes at the top, and the marks around content and extracted attributes. */
const fixedBytes = 97 + 2 + 4;
const timeDigits = 10 + 1 + 6;
const notifyBits: Readonly<Record<Notify, number>> = { never: 1, success: 2, failure: 4, delay: 8 };

function record(text: string): number {
  const length = Buffer.byteLength(text);
  return length + (length < 128 ? 2 : 3);
}

/** Attributes without a value have no record. */
function attributes(pairs: Readonly<Record<string, string>>): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(pairs)) if (value !== '') bytes += record(`${name}=${value}`);
  return bytes;
}

export function recipientBytes({ address, original, dsnOriginal, notify }: Recipient): number {
  const flags = notify.reduce((sum, word) => sum + notifyBits[word], 0);
  const own = { notify_flags: flags === 0 ? '' : String(flags), dsn_orig_rcpt: dsnOriginal };
  return attributes(own) + record(toExternal(original)) + record(toExternal(address));
}

/** `queueId`: logged of mail that came by SMTP. */
export function envelopeBytes(envelope: Omit<Envelope, 'messageId'>, queueId: string, sender: string): number {
  const { client, logClient, sasl, encoding, fullName, contentFilter, verp } = envelope;
  const isFromClient = envelope.uid === undefined && logClient.address !== '';
  const texts = [fullName, contentFilter, verp].filter((text) => text !== '');
  const told = {
    create_time: '0'.repeat(10),
    rewrite_context: envelope.rewriteContext,
    envelope_id: envelope.envid,
    ret_flags: envelope.ret === '' ? '' : '1',
    sasl_method: sasl?.method ?? '',
    sasl_username: sasl?.username ?? '',
    sasl_sender: sasl?.sender ?? '',
    encoding,
  };
  const ofClient = {
    log_ident: envelope.forwardedQueueId ?? queueId,
    log_client_name: logClient.name,
    log_client_address: logClient.address,
    log_client_port: logClient.port,
    log_message_origin: `${logClient.name}[${logClient.address}]`,
    log_helo_name: logClient.heloName,
    log_protocol_name: logClient.protocol,
    client_name: client.name,
    reverse_client_name: client.reverseName,
    client_address: client.address,
    client_port: client.port,
    server_address: client.serverAddress,
    server_port: client.serverPort,
    helo_name: client.heloName,
    protocol_name: client.protocol,
    client_address_type: client.address.includes(':') ? '10' : '2',
  };
  return (
    fixedBytes +
    record('0'.repeat(timeDigits)) +
    texts.reduce((sum, text) => sum + record(text), 0) +
    record(toExternal(sender)) +
    attributes(told) +
    // found out from the content, or told again behind it
    attributes({ encoding }) +
    (isFromClient ? attributes(ofClient) : 0)
  );
}
