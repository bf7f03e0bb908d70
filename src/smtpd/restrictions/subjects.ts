/** What a restriction speaks about: it may stand in another list than that of its kind. smtpd(8) */
import type { SessionFacts } from '../policy.ts';
import type { Subject } from './restriction.ts';

/** `name[address]`, with the port where it is logged. postconf(5) smtpd_client_port_logging */
export const clientDatum = ({ clientText }: SessionFacts): string => clientText;

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
const certificate: Maker = ({ tls }) => ({ replyClass: 'Client certificate', datum: tls?.peer?.commonName ?? '' });
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
  [/^check_ccert/, certificate],
];

/** The maker for a restriction's name; undefined: it speaks about what its list does. */
export function subjectMaker(name: string): Maker | undefined {
  if (name === 'reject_multi_recipient_bounce' || /_rbl_|rhsbl|dnswl|rhswl/.test(name)) return undefined;
  return makers.find(([pattern]) => pattern.test(name))?.[1];
}

/** Details of codes about addresses (RFC 3463, 3.2) that mean something else for a sender, and for a recipient. */
const senderDetails: Readonly<Record<string, string>> = { 1: '7', 2: '8', 3: '7', 4: '7', 5: '0', 6: '7' };
const recipientDetails: Readonly<Record<string, string>> = { 7: '3', 8: '2' };
const lastDetail = 8;

/** The enhanced code of a reply about this subject: one about an address means nothing for anything else. */
export function codeFor(dsn: string, { replyClass }: Subject, note: (text: string) => void): string {
  if (!/^\d\.1\./.test(dsn)) return dsn;
  const detail = dsn.slice('5.1.'.length);
  const known = Number(detail) <= lastDetail ? detail : '0';
  const tail =
    replyClass === 'Sender address'
      ? `1.${senderDetails[known] ?? known}`
      : replyClass === 'Recipient address'
        ? `1.${recipientDetails[known] ?? known}`
        : '0.0';
  const code = `${dsn.charAt(0)}.${tail}`;
  if (code !== dsn) note(`mapping DSN status ${dsn} into ${replyClass} status ${code}`);
  return code;
}
