/** XFORWARD as a client of a filter: tells it of the SMTP client, in as many commands as it takes. XFORWARD_README */
import { encodeXtext, parseEhloKeywords } from '#smtp';

/** What can be told, by its XFORWARD name; '' where it is not known. */
export interface ForwardedAttributes {
  readonly NAME: string;
  readonly ADDR: string;
  readonly PORT: string;
  readonly HELO: string;
  readonly IDENT: string;
  readonly PROTO: string;
  readonly SOURCE: 'LOCAL' | 'REMOTE';
}

const order = ['NAME', 'ADDR', 'PORT', 'HELO', 'IDENT', 'PROTO', 'SOURCE'] as const;

/** What the attributes of one command may take: a command line is 512 bytes long. RFC 5321, 4.5.3.1.4 */
const maxPayload = 512 - 'XFORWARD\r\n'.length - '250 '.length;

/** The commands that tell a filter what its EHLO reply (whole lines) asks for; none when it does not ask. */
export function xforwardCommands(
  ehloReply: readonly string[],
  attributes: ForwardedAttributes,
  warn: (text: string) => void,
): readonly string[] {
  const wanted = new Set(
    (parseEhloKeywords(['', ...ehloReply.map((line) => line.slice(4))]).get('XFORWARD') ?? []).map((name) =>
      name.toUpperCase(),
    ),
  );
  const commands: string[] = [];
  let payload = '';
  for (const name of order) {
    if (!wanted.has(name)) continue;
    const value = attributes[name] === '' ? '[UNAVAILABLE]' : attributes[name];
    const attribute = ` ${name}=${encodeXtext(value)}`;
    if (attribute.length > maxPayload) {
      warn(`XFORWARD command payload ${name}=${value.slice(0, 10)}... exceeds SMTP protocol limit`);
    }
    if (payload !== '' && payload.length + attribute.length > maxPayload) {
      commands.push(`XFORWARD${payload}`);
      payload = '';
    }
    payload += attribute;
  }
  if (payload !== '') commands.push(`XFORWARD${payload}`);
  return commands;
}
