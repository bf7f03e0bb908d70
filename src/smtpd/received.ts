/** The Received: field of a message taken by SMTP. RFC 5321, 4.4; inventory i.3 */
import { toExternal } from '#address';
import { formatMailDate } from '#message';
import type { ClientAttributes } from '#message';
import type { TlsFacts } from '#tls';

export interface ReceivedFacts {
  readonly client: ClientAttributes;
  /** SMTP, ESMTP, UTF8SMTP. */
  readonly protocol: string;
  readonly myhostname: string;
  readonly mailName: string;
  /** '': the message has no queue entry here. */
  readonly queueId: string;
  readonly recipients: readonly { readonly address: string }[];
  readonly at: number;
  readonly hidesClient: boolean;
  /** Told of in the field. smtpd_tls_received_header */
  readonly tls?: TlsFacts | undefined;
}

function tlsComment(tls: TlsFacts | undefined): string {
  if (tls === undefined) return '';
  const { protocol, cipher, keyBits } = tls;
  return `\r\n\t(using ${protocol} with cipher ${cipher} (${keyBits}/${keyBits} bits))\r\n\t(No client certificate requested)`;
}

/** The folded field with its line ends. */
export function receivedField(facts: ReceivedFacts): Buffer {
  const { client, recipients } = facts;
  const address = client.address.includes(':') ? `IPv6:${client.address}` : client.address;
  const helo = client.heloName === '' ? client.name : client.heloName;
  const from = facts.hidesClient ? 'by' : `from ${helo} (${client.name} [${address}])${tlsComment(facts.tls)}\r\n\tby`;
  const [only] = recipients;
  const id = facts.queueId === '' ? '' : ` id ${facts.queueId}`;
  const end =
    recipients.length === 1 && only !== undefined
      ? `\r\n\tfor <${toExternal(only.address)}>; ${formatMailDate(facts.at)}\r\n`
      : `;\r\n\t${formatMailDate(facts.at)}\r\n`;
  return Buffer.from(`Received: ${from} ${facts.myhostname} (${facts.mailName}) with ${facts.protocol}${id}${end}`);
}
