/** The verbs: a table from name to what it does in a session. RFC 5321, 4.1; smtpd(8) */
import type { MaybePromise } from '#message';
import type { CommandWord } from '#smtp';
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import { auth } from './auth.ts';
import { bdat } from './bdat.ts';
import { data } from './data.ts';
import { etrn } from './etrn.ts';
import { ehlo, helo } from './helo.ts';
import { mail } from './mail.ts';
import { help, noop, quit, rset } from './plain.ts';
import { rcpt } from './rcpt.ts';
import { startTls } from './starttls.ts';
import { vrfy } from './vrfy.ts';
import { xclient, xforward } from './xclient-command.ts';

/** A command line: its words (the first is the verb), and the text behind the verb. */
export interface Arguments {
  readonly words: readonly CommandWord[];
  readonly rest: string;
  /** The line as it came. */
  readonly line: string;
}

export interface Verb {
  readonly name: string;
  readonly run: (session: Session, args: Arguments) => MaybePromise<CommandResult>;
  /** Last of a pipelined group: nothing may follow before its reply. RFC 2920, 3.1 */
  readonly endsGroup: boolean;
  /** Does no work for mail: counts against smtpd_junk_command_limit. */
  readonly isJunk: boolean;
}

const notRecognized = (): CommandResult => replyOf('500 5.5.2 Error: command not recognized');

type Row = readonly [name: string, run: Verb['run'], ...flags: ('endsGroup' | 'isJunk')[]];
const rows: readonly Row[] = [
  ['HELO', helo, 'endsGroup', 'isJunk'],
  ['EHLO', ehlo, 'endsGroup', 'isJunk'],
  ['XCLIENT', xclient],
  ['XFORWARD', xforward],
  ['STARTTLS', startTls],
  ['AUTH', auth],
  ['MAIL', mail],
  ['RCPT', rcpt],
  ['DATA', data, 'endsGroup'],
  ['BDAT', bdat],
  ['RSET', rset, 'isJunk'],
  ['NOOP', noop, 'endsGroup', 'isJunk'],
  ['VRFY', vrfy, 'endsGroup', 'isJunk'],
  ['ETRN', etrn, 'isJunk'],
  ['QUIT', quit],
  ['HELP', help],
];

const verbs: ReadonlyMap<string, Verb> = new Map(
  rows.map(([name, run, ...flags]) => [
    name,
    { name, run, endsGroup: flags.includes('endsGroup'), isJunk: flags.includes('isJunk') },
  ]),
);

/** What answers to a verb that does not exist. */
export const unknownVerb: Verb = { name: 'UNKNOWN', run: notRecognized, endsGroup: false, isJunk: false };

/** `name`: as the client wrote it. */
export function findVerb(name: string): Verb | undefined {
  return verbs.get(name) ?? verbs.get(name.toUpperCase());
}
