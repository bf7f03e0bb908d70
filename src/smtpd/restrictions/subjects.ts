/** What a restriction speaks about: it may stand in another list than that of its kind. smtpd(8) */
import type { SessionFacts } from '../policy.ts';
import type { Subject } from './restriction.ts';

export const clientDatum = ({ client }: SessionFacts): string => `${client.name}[${client.address}]`;

type Maker = (facts: SessionFacts) => Subject;

const client: Maker = (facts) => ({ replyClass: 'Client host', datum: clientDatum(facts) });
const reverseClient: Maker = (facts) => ({
  replyClass: 'Unverified Client host',
  datum: facts.client.reverseName,
});
const helo: Maker = ({ helo: name }) => ({ replyClass: 'Helo command', datum: name ?? '' });
const sender: Maker = ({ sender: address }) => ({ replyClass: 'Sender address', datum: address ?? '' });
const recipient: Maker = ({ recipient: address }) => ({ replyClass: 'Recipient address', datum: address ?? '' });
const etrn: Maker = ({ etrnDomain }) => ({ replyClass: 'Etrn command', datum: etrnDomain ?? '' });
const login: Maker = ({ saslUsername }) => ({ replyClass: 'SASL login name', datum: saslUsername });

/** By what the name of a restriction holds; the first that fits. */
const makers: readonly (readonly [RegExp, Maker])[] = [
  [/^check_reverse_client/, reverseClient],
  [/^check_client|^reject_unknown_(?:reverse_)?client/, client],
  [/_helo_/, helo],
  [/^check_sender|_sender(?:_|$)/, sender],
  [/^check_recipient|_recipient(?:_|$)|auth_destination$|^permit_mx_backup/, recipient],
  [/^check_etrn/, etrn],
  [/^check_sasl/, login],
];

/** The maker for a restriction's name; undefined: it speaks about what its list does. */
export function subjectMaker(name: string): Maker | undefined {
  if (name === 'reject_multi_recipient_bounce' || /_rbl_|rhsbl|dnswl|rhswl/.test(name)) return undefined;
  return makers.find(([pattern]) => pattern.test(name))?.[1];
}

/** Codes about addresses, in the words of a sender and of a recipient; for anything else they mean nothing. smtpd_dsn_fix */
const addressCodes: Readonly<Record<string, readonly [sender: string, recipient: string]>> = {
  '1.0': ['1.0', '1.0'],
  '1.1': ['1.0', '1.1'],
  '1.2': ['1.8', '1.2'],
  '1.3': ['1.7', '1.3'],
  '1.4': ['1.0', '1.4'],
  '1.5': ['1.0', '1.5'],
  '1.6': ['1.0', '1.6'],
  '1.7': ['1.7', '1.3'],
  '1.8': ['1.8', '1.2'],
};

/** The enhanced code of a reply about this subject. */
export function codeFor(dsn: string, { replyClass }: Subject): string {
  const codes = addressCodes[dsn.slice(2)];
  if (codes === undefined) return dsn;
  const [ofSender, ofRecipient] = codes;
  const detail = replyClass === 'Sender address' ? ofSender : replyClass === 'Recipient address' ? ofRecipient : '0.0';
  return `${dsn.slice(0, 2)}${detail}`;
}
