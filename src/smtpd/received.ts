/** The Received: field of a message taken by SMTP. RFC 5321, 4.4 */
import { toExternal } from '#address';
import { bytesOf, type ClientAttributes, formatMailDate, isTrusted, type TlsFacts, tlsWords } from '#message';

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
  /** Nothing is told of who the client is and how it came. smtpd_hide_client_session */
  readonly hidesClient: boolean;
  /** Told of in the field. smtpd_tls_received_header */
  readonly tls?: { readonly facts: TlsFacts; readonly asksCertificate: boolean } | undefined;
  /** Who has logged in, if that is told; else ''. smtpd_sasl_authenticated_header */
  readonly login: string;
}

/** Who the client is by its certificate. */
function certificateComment(tls: TlsFacts, asksCertificate: boolean): string {
  const { peer } = tls;
  if (peer === undefined)
    return asksCertificate ? 'Client did not present a certificate' : 'No client certificate requested';
  const verdict = isTrusted(tls) ? 'verified OK' : 'not verified';
  return `Client CN "${inComment(peer.commonName)}", Issuer "${inComment(peer.issuerName)}" (${verdict})`;
}

function tlsComment(told: ReceivedFacts['tls']): string {
  if (told === undefined) return '';
  const { cipher, own, other } = tlsWords(told.facts);
  const how = [`using ${cipher}`, own, other].filter((part) => part !== '').join('\r\n\t ');
  return `\r\n\t(${how})\r\n\t(${certificateComment(told.facts, told.asksCertificate)})`;
}

function loginComment(login: string): string {
  return login === '' ? '' : `\r\n\t(Authenticated sender: ${inComment(login)})`;
}

/** What would end a comment early, or not at all, is taken out, byte by byte. RFC 5322, 3.2.2 */
function inComment(text: string): string {
  let open = 0;
  const bytes = bytesOf(text).toString('latin1');
  const inside = bytes.replaceAll(/[^ -~]|[()\\]/g, (character) => {
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
  const from = `from ${helo} (${client.name} [${address}])${tlsComment(facts.tls)}${loginComment(facts.login)}\r\n\t`;
  const [only] = recipients;
  const id = facts.queueId === '' ? '' : ` id ${facts.queueId}`;
  const end =
    recipients.length === 1 && only !== undefined
      ? `\r\n\tfor <${toExternal(only.address)}>; ${formatMailDate(facts.at)}\r\n`
      : `;\r\n\t${formatMailDate(facts.at)}\r\n`;
  const by = `by ${facts.myhostname} (${facts.mailName})`;
  const way = facts.hidesClient ? by : `${from}${by} with ${facts.protocol}`;
  return bytesOf(`Received: ${way}${id}${end}`);
}
