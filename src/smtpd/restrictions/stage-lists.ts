/** The restriction lists of main.cf, in groups: what each speaks of, and which come together. SMTPD_ACCESS_README */
import type { SessionFacts } from '../policy.ts';
import { parseRestrictions } from './program.ts';
import type { Toolbox } from './restriction.ts';
import type { List } from './stage-run.ts';
import { clientDatum } from './subjects.ts';

/** Lists that share what defer_if_reject put off. `mail` ends with the implicit check of the sender. */
export interface Group {
  readonly kind: 'connect' | 'helo' | 'mail' | 'destination' | 'other';
  readonly lists: readonly List[];
}

/** A group for each restriction list, but for relay and recipient lists, which share one; and what main.cf need not name. */
export interface StageLists {
  readonly connect: Group;
  readonly helo: Group;
  readonly mail: Group;
  readonly destination: Group;
  readonly data: Group;
  readonly endOfData: Group;
  readonly etrn: Group;
  readonly unlistedSender: List;
  readonly unlistedRecipient: List;
}

/** What a bare `type:table` means in a list. */
const bareTables: Readonly<Record<string, string>> = {
  smtpd_client_restrictions: 'check_client_access',
  smtpd_helo_restrictions: 'check_helo_access',
  smtpd_sender_restrictions: 'check_sender_access',
  smtpd_relay_restrictions: 'check_recipient_access',
  smtpd_recipient_restrictions: 'check_recipient_access',
  smtpd_etrn_restrictions: 'check_etrn_access',
};

/** Parses them, and opens their tables. */
export function readLists(toolbox: Toolbox): StageLists {
  const { settings } = toolbox;
  const list = (parameter: string, replyClass: string, datum: List['datum']): List => ({
    parameter,
    restrictions: parseRestrictions(settings.elements(parameter), toolbox, { bareTable: bareTables[parameter] ?? '' }),
    replyClass,
    datum,
  });
  const sender: List['datum'] = (facts) => facts.sender ?? '';
  const recipient: List['datum'] = (facts) => facts.recipient ?? '';
  const written = list('smtpd_relay_restrictions', 'Recipient address', recipient);
  // what the default would be today, asked only in order to tell
  const today = ['permit_mynetworks', 'permit_sasl_authenticated', 'permit_auth_destination'].map((text) => ({ text }));
  const relay: List = toolbox.oldDefaults.relaysByRecipientList
    ? { ...written, restrictions: parseRestrictions(today, toolbox, { bareTable: '' }) }
    : written;
  const destination = list('smtpd_recipient_restrictions', 'Recipient address', recipient);
  const implicit = (parameter: string, name: string, replyClass: string, datum: List['datum']): List => ({
    parameter,
    restrictions: settings.bool(parameter) ? parseRestrictions([{ text: name }], toolbox, { bareTable: '' }) : [],
    replyClass,
    datum,
  });
  const group = (kind: Group['kind'], ...lists: readonly List[]): Group => ({ kind, lists });
  return {
    connect: group('connect', list('smtpd_client_restrictions', 'Client host', clientDatum)),
    helo: group(
      'helo',
      list('smtpd_helo_restrictions', 'Helo command', ({ helo }) => helo ?? ''),
    ),
    mail: group('mail', list('smtpd_sender_restrictions', 'Sender address', sender)),
    destination:
      settings.bool('smtpd_relay_before_recipient_restrictions') && !toolbox.oldDefaults.relaysByRecipientList
        ? group('destination', relay, destination)
        : group('destination', destination, relay),
    data: group(
      'other',
      list('smtpd_data_restrictions', 'Data command', () => 'DATA'),
    ),
    endOfData: group(
      'other',
      list('smtpd_end_of_data_restrictions', 'End-of-data', () => 'END-OF-MESSAGE'),
    ),
    etrn: group(
      'other',
      list('smtpd_etrn_restrictions', 'Etrn command', ({ etrnDomain }) => etrnDomain ?? ''),
    ),
    unlistedSender: implicit('smtpd_reject_unlisted_sender', 'reject_unlisted_sender', 'Sender address', sender),
    unlistedRecipient: implicit(
      'smtpd_reject_unlisted_recipient',
      'reject_unlisted_recipient',
      'Recipient address',
      recipient,
    ),
  };
}

/** The lists of a group that have something to speak of. */
export function hasSubject({ kind }: Group, { helo, sender }: SessionFacts): boolean {
  return kind === 'helo' ? helo !== undefined : kind === 'mail' ? sender !== undefined : true;
}
