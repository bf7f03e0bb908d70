/** What stands below a refusal: smtpd_reject_footer with its macros. postconf(5) */
import { splitAddress } from '#address';
import { expandValue, unescape } from '#config';
import { formatLogTime } from '#events';
import type { ClientFacts } from './session-state.ts';

export interface FooterFacts {
  readonly client: ClientFacts;
  readonly helo: string | undefined;
  readonly sender: string | undefined;
  /** The first accepted recipient. */
  readonly recipient: string | undefined;
  readonly myhostname: string;
  /** ms since the epoch. */
  readonly at: number;
}

export interface ReplyText {
  readonly code: number;
  readonly lines: readonly string[];
}

function addressMacro(address: string | undefined, part: string): string {
  if (address === undefined) return '';
  if (part === '') return address === '' ? '<>' : address;
  if (address === '') return part === 'name' ? '<>' : '';
  const { localPart, domain } = splitAddress(address);
  return part === 'name' ? localPart : domain;
}

/** The value of a macro; '' for those that do not exist. */
export function replyMacro(name: string, facts: FooterFacts): string {
  const { client } = facts;
  switch (name) {
    case 'client':
      return `${client.name}[${client.address}]`;
    case 'client_address':
      return client.address;
    case 'client_name':
      return client.name;
    case 'client_port':
      return client.port;
    case 'reverse_client_name':
      return client.reverseName;
    case 'helo_name':
      return facts.helo ?? '';
    case 'server_name':
      return facts.myhostname;
    case 'server_address':
      return client.serverAddress;
    case 'server_port':
      return client.serverPort;
    case 'localtime':
      return formatLogTime(facts.at);
    case 'sender':
    case 'sender_name':
    case 'sender_domain':
      return addressMacro(facts.sender, name.slice('sender_'.length));
    case 'recipient':
    case 'recipient_name':
    case 'recipient_domain':
      return addressMacro(facts.recipient, name.slice('recipient_'.length));
    default:
      return '';
  }
}

/** The reply with its footer: `\c` in front joins it to the last line, `\n` in it begins a new one. */
export function withFooter(
  reply: ReplyText,
  template: string,
  allowed: ReadonlySet<string>,
  facts: FooterFacts,
): ReplyText {
  const expanded = expandValue(template.replace(/^\\c/, ''), (name) => cleanMacro(replyMacro(name, facts), allowed));
  const text = expanded.kind === 'ok' ? expanded.text : template;
  const [first = '', ...rest] = text.split(String.raw`\n`);
  const lines = [...reply.lines];
  const dsn = /^[245]\.\d{1,3}\.\d{1,3} /.exec(lines[0] ?? '')?.[0] ?? '';
  const last = lines.length - 1;
  if (template.startsWith(String.raw`\c`)) lines[last] = (lines[last] ?? '') + first;
  else lines.push(dsn + first);
  return { code: reply.code, lines: [...lines, ...rest.map((line) => dsn + line)] };
}

/** smtpd_expansion_filter: what a client says must not shape our reply. A `$` in a value is text. */
export function cleanMacro(value: string, allowed: ReadonlySet<string>): string {
  return Array.from(value)
    .map((char) => (allowed.has(char) ? char : '_'))
    .join('')
    .replaceAll('$', '$$$$');
}

/** The characters of smtpd_expansion_filter, which is written with C escapes. */
export function expansionFilter(text: string): ReadonlySet<string> {
  return new Set(unescape(text));
}
