/** The Received: field of a message taken by SMTP. RFC 5321, 4.4; inventory i.3 */
import { toExternal } from '#address';
import { formatMailDate } from '#message';
import type { ClientAttributes } from '#message';
import type { TlsFacts } from '#tls';

export interface ReceivedFacts {
  readonly client: ClientAttributes;
  /** SMTP, ESMTPSA, UTF8SMTP … */
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
  /** Who has logged in, if that is told; else ''. smtpd_sasl_authenticated_header */
  readonly login: string;
}

function tlsComment(tls: TlsFacts | undefined): string {
  if (tls === undefined) return '';
  const { protocol, cipher, keyBits } = tls;
  return `\r\n\t(using ${protocol} with cipher ${cipher} (${keyBits}/${keyBits} bits))\r\n\t(No client certificate requested)`;
}

function loginComment(login: string): string {
  return login === '' ? '' : `\r\n\t(Authenticated sender: ${inComment(login)})`;
}

/** What would end a comment early, or not at all, is taken out, byte by byte. RFC 5322, 3.2.2 */
function inComment(text: string): string {
  let open = 0;
  const bytes = Buffer.from(text).toString('latin1');
  const inside = bytes.replaceAll(/[()\\\x80-\xff]/g, (character) => {
    if (character === '(') open += 1;
    else if (character !== ')' || open === 0) return '?';
    else open -= 1;
    return character;
  });
  return inside + ')'.repeat(open);
}

/** The folded field with its line ends. */
export function receivedField(facts: ReceivedFacts): Buffer {
  const { client, recipients } = facts;
  const address = client.address.includes(':') ? `IPv6:${client.address}` : client.address;
  const helo = client.heloName === '' ? client.name : client.heloName;
  const from = facts.hidesClient
    ? 'by'
    : `from ${helo} (${client.name} [${address}])${tlsComment(facts.tls)}${loginComment(facts.login)}\r\n\tby`;
  const [only] = recipients;
  const id = facts.queueId === '' ? '' : ` id ${facts.queueId}`;
  const end =
    recipients.length === 1 && only !== undefined
      ? `\r\n\tfor <${toExternal(only.address)}>; ${formatMailDate(facts.at)}\r\n`
      : `;\r\n\t${formatMailDate(facts.at)}\r\n`;
  return Buffer.from(`Received: ${from} ${facts.myhostname} (${facts.mailName}) with ${facts.protocol}${id}${end}`);
}
