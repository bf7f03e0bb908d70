/** What `$name` stands for in reply templates: smtpd_reject_footer, rbl_reply_maps. postconf(5) */
import { splitAddress } from '#address';
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

function addressMacro(address: string | undefined, part: string): string {
  if (address === undefined) return '';
  if (part === '') return address === '' ? '<>' : address;
  if (address === '') return part === 'name' ? '<>' : '';
  const { localPart, domain } = splitAddress(address);
  return part === 'name' ? localPart : domain;
}

/** The value of a macro; undefined for those that do not exist. */
export function replyMacro(name: string, facts: FooterFacts): string | undefined {
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
      return undefined;
  }
}

/** What is warned of a macro that does not exist. */
export const unknownMacro = (name: string): string => `unknown macro name "${name}" in expansion request`;
