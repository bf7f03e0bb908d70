/** What a refusal says, to the client and in the log. RFC 5321, 4.2; RFC 3463; postconf(5) soft_bounce */
import type { MailEvent, PolicyWord } from '#events';
import { printable } from '#message';
import type { Deferral, SessionFacts } from '../policy.ts';

export interface RefusalOptions {
  readonly softBounce: boolean;
  readonly smtputf8: boolean;
  readonly warn: (text: string) => void;
}

/** A reply of a code that is one, on one line, softened by soft_bounce, its two codes in accord. */
export function refusalText({ code, dsn, text }: Deferral, { softBounce, smtputf8, warn }: RefusalOptions): string {
  const isRefusal = code >= 400 && code <= 599;
  if (!isRefusal) {
    warn(`SMTP reply code configuration error: ${code} ${softBounce ? dsn.replace(/^5/, '4') : dsn} ${text}`);
  }
  const said = isRefusal ? { code, dsn, text } : { code: 450, dsn: '4.7.1', text: 'Service unavailable' };
  const final = softBounce && said.code >= 500 ? said.code - 100 : said.code;
  return `${final} ${Math.floor(final / 100)}${said.dsn.slice(1)} ${printable(said.text, ' ', smtputf8)}`;
}

/** A line of the log about a decision, with what is known of the session. */
export function policyEvent(facts: SessionFacts, word: PolicyWord, text: string): MailEvent {
  return {
    kind: 'policy',
    word,
    text,
    client: facts.clientText,
    where: facts.command,
    queueId: facts.queueId,
    sender: facts.sender,
    recipient: facts.recipient,
    protocol: facts.protocol,
    helo: facts.helo ?? '',
    saslUsername: facts.saslUsername,
    saslMethod: facts.saslMethod,
    saslSender: facts.saslSender,
  };
}
