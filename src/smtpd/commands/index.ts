/** The verbs: a table from name to what it does in a session. RFC 5321, 4.1; smtpd(8) */
import { type CommandResult, replyOf } from '../command-result.ts';
import type { Session } from '../session.ts';
import { bdat } from './bdat.ts';
import { data } from './data.ts';
import { etrn } from './etrn.ts';
import { ehlo, helo } from './helo.ts';
import { mail } from './mail.ts';
import { help, noop, quit, rset } from './plain.ts';
import { rcpt } from './rcpt.ts';
import { vrfy } from './vrfy.ts';
import { xclient, xforward } from './xclient-command.ts';

/** The parts of a session that commands work on. */
export type Conversation = Pick<
  Session,
  | 'options'
  | 'settings'
  | 'realClient'
  | 'client'
  | 'logClient'
  | 'helo'
  | 'protocol'
  | 'saslUsername'
  | 'transaction'
  | 'canXclient'
  | 'canXforward'
  | 'check'
  | 'facts'
  | 'openSubmission'
  | 'resetTransaction'
  | 'becomeClient'
>;

export type Verb = (session: Session, args: string) => CommandResult | Promise<CommandResult>;

interface VerbEntry {
  readonly run: Verb;
  /** Last of a pipelined group: nothing may follow before its reply. RFC 2920, 3.1 */
  readonly endsGroup: boolean;
}

const verbs: ReadonlyMap<string, VerbEntry> = new Map<string, VerbEntry>([
  ['HELO', { run: helo, endsGroup: true }],
  ['EHLO', { run: ehlo, endsGroup: true }],
  ['MAIL', { run: mail, endsGroup: false }],
  ['RCPT', { run: rcpt, endsGroup: false }],
  ['DATA', { run: data, endsGroup: true }],
  ['BDAT', { run: bdat, endsGroup: false }],
  ['RSET', { run: rset, endsGroup: false }],
  ['NOOP', { run: noop, endsGroup: true }],
  ['VRFY', { run: vrfy, endsGroup: true }],
  ['ETRN', { run: etrn, endsGroup: true }],
  ['HELP', { run: help, endsGroup: true }],
  ['QUIT', { run: quit, endsGroup: false }],
  ['XCLIENT', { run: xclient, endsGroup: true }],
  ['XFORWARD', { run: xforward, endsGroup: false }],
]);

const isAllowedFirst = new Set(['HELO', 'EHLO', 'QUIT', 'NOOP', 'HELP', 'RSET', 'XCLIENT', 'XFORWARD', 'VRFY']);

/** Runs one command line. `verb` in the result: the known verb, for the counters. */
export async function runCommand(
  session: Session,
  verb: string,
  args: string,
): Promise<CommandResult & { readonly verb?: string; readonly checksPipelining?: boolean }> {
  const { settings } = session;
  if (settings.noopCommands.has(verb.toLowerCase())) return { ...replyOf('250 2.0.0 Ok'), verb: 'noop' };
  const entry = verbs.get(verb);
  if (entry === undefined) {
    return replyOf(verb === '' ? '500 5.5.2 Error: bad syntax' : '500 5.5.2 Error: command not recognized');
  }
  const name = verb.toLowerCase();
  if (settings.heloRequired && session.helo === undefined && !isAllowedFirst.has(verb)) {
    return { ...replyOf('503 5.5.1 Error: send HELO/EHLO first'), verb: name };
  }
  return { ...(await entry.run(session, args)), verb: name, checksPipelining: entry.endsGroup };
}
