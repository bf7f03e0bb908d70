/** The commands of the built-in SMTP engine. None of them leads to mail. RFC 5321, 4.1.1; postscreen(8) */
import type { CommandWord } from '#smtp';
import { announcedKeywords } from './ehlo-keywords.ts';
import { looseAddress } from './loose-address.ts';
import type { ScreeningSession } from './session.ts';

/** What client and engine have told each other. */
export interface Dialogue {
  /** Verb of the last command; CONNECT before any. */
  lastCommand: string;
  helo: string | undefined;
  /** ESMTP since the first EHLO, also after a HELO. */
  protocol: 'SMTP' | 'ESMTP';
  sender: string | undefined;
  /** EHLO keywords that are not for this client, lower case. */
  readonly discarded: ReadonlySet<string>;
}

export function newDialogue(discarded: ReadonlySet<string>): Dialogue {
  return {
    lastCommand: 'CONNECT',
    helo: undefined,
    protocol: 'SMTP',
    sender: undefined,
    discarded,
  };
}

export interface EngineAnswer {
  readonly reply: string;
  /** The connection ends with it. */
  readonly isLast?: boolean;
  /** The handshake follows. */
  readonly startsTls?: boolean;
}

export interface Arguments {
  /** The whole line, verb first. */
  readonly words: readonly CommandWord[];
  /** What follows the verb. */
  readonly rest: string;
}

export type Verb = (session: ScreeningSession, dialogue: Dialogue, args: Arguments) => EngineAnswer;

const ok: EngineAnswer = { reply: '250 2.0.0 Ok' };
const needHelo: EngineAnswer = { reply: '503 5.5.1 Error: send HELO/EHLO first' };

function lacksHelo({ settings }: ScreeningSession, { helo }: Dialogue): boolean {
  return settings.heloRequired && helo === undefined;
}

function greet(dialogue: Dialogue, name: string): void {
  dialogue.helo = name;
  reset(dialogue);
}

function reset(dialogue: Dialogue): void {
  dialogue.sender = undefined;
}

const helo: Verb = (session, dialogue, { words }) => {
  const name = words[1]?.text;
  if (name === undefined) return { reply: '501 Syntax: HELO hostname' };
  greet(dialogue, name);
  return { reply: `250 ${session.settings.myhostname}` };
};

const ehlo: Verb = (session, dialogue, { words }) => {
  const name = words[1]?.text;
  if (name === undefined) return { reply: '501 Syntax: EHLO hostname' };
  greet(dialogue, name);
  dialogue.protocol = 'ESMTP';
  const lines = [session.settings.myhostname, ...announcedKeywords(session, dialogue.discarded)];
  return { reply: lines.map((line, i) => `250${i < lines.length - 1 ? '-' : ' '}${line}`).join('\n') };
};

const mail: Verb = (session, dialogue, { rest }) => {
  if (lacksHelo(session, dialogue)) return needHelo;
  if (dialogue.sender !== undefined) return { reply: '503 5.5.1 Error: nested MAIL command' };
  const sender = looseAddress(rest, 'FROM');
  if (sender === undefined) return { reply: '501 5.5.4 Syntax: MAIL FROM:<address>' };
  dialogue.sender = sender;
  return { reply: '250 2.1.0 Ok' };
};

const rcpt: Verb = (session, dialogue, { rest }) => {
  const { sender } = dialogue;
  if (sender === undefined) return { reply: '503 5.5.1 Error: need MAIL command' };
  const recipient = looseAddress(rest, 'TO');
  if (recipient === undefined) return { reply: '501 5.5.4 Syntax: RCPT TO:<address>' };
  session.events.emit({
    kind: 'screenedRecipient',
    client: session.client,
    reply: session.recipientReply,
    sender,
    recipient,
    protocol: dialogue.protocol,
    helo: dialogue.helo ?? '',
  });
  return { reply: session.recipientReply };
};

/** Content never comes: nobody was accepted as its recipient. */
function refuseContent(session: ScreeningSession, command: 'DATA' | 'BDAT', reply: string): EngineAnswer {
  session.events.emit({ kind: 'screenedContent', client: session.client, command });
  return { reply, isLast: true };
}

const data: Verb = (session, { sender }, { words }) => {
  const reply =
    words.length > 1
      ? '501 5.5.4 Syntax: DATA'
      : sender === undefined
        ? '503 5.5.1 Error: need RCPT command'
        : '554 5.5.1 Error: no valid recipients';
  return refuseContent(session, 'DATA', reply);
};

/** Postfix looks at what the argument says only where there may be content. */
const bdat: Verb = (session, { sender }, { words }) => {
  const reply =
    sender === undefined
      ? '554 5.5.1 Error: need MAIL command'
      : words.length > 1
        ? '554 5.5.1 Error: no valid recipients'
        : '501 5.5.4 Syntax: BDAT count [LAST]';
  return refuseContent(session, 'BDAT', reply);
};

const rset: Verb = (_session, dialogue) => {
  reset(dialogue);
  return ok;
};

const vrfy: Verb = (session, _dialogue, { rest }) => {
  if (session.settings.disableVrfy) return { reply: '502 5.5.1 VRFY command is disabled' };
  if (rest === '') return { reply: '501 5.5.4 Syntax: VRFY address' };
  return { reply: session.recipientReply };
};

const etrn: Verb = (session, dialogue, { words }) => {
  if (lacksHelo(session, dialogue)) return needHelo;
  if (words.length !== 2) return { reply: '500 Syntax: ETRN domain' };
  return { reply: '458 Unable to queue messages' };
};

const startTls: Verb = (session, { discarded }, { words }) => {
  // as Postfix says it
  if (words.length > 1) return { reply: '501 Syntax: EHLO hostname' };
  if (session.isSecured) return { reply: '554 5.5.1 Error: TLS already active' };
  if (!session.offersTls || discarded.has('starttls')) return { reply: '502 5.5.1 Error: command not implemented' };
  if (!session.canStartTls) return { reply: '454 4.7.0 TLS not available due to local problem' };
  return { reply: '220 2.0.0 Ready to start TLS', startsTls: true };
};

/** Where TLS is demanded, these are answered without it. postscreen_tls_security_level */
export const allowedBeforeTls: ReadonlySet<string> = new Set(['HELO', 'EHLO', 'NOOP', 'STARTTLS', 'QUIT']);

export const engineVerbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
  ['HELO', helo],
  ['EHLO', ehlo],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', data],
  ['BDAT', bdat],
  ['RSET', rset],
  ['NOOP', () => ok],
  ['VRFY', vrfy],
  ['ETRN', etrn],
  ['STARTTLS', startTls],
  ['QUIT', () => ({ reply: '221 2.0.0 Bye', isLast: true })],
]);
