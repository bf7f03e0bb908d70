/** The command line of sendmail(1): its options taken together, and its recipients. */
import { basename, dirname } from 'node:path';
import { addressesOf, parseAddressList } from '#address';
import { commandParts } from './command-words.ts';
import { OptionReader } from './option-reader.ts';
import type { SendmailMode, SendmailOptions } from './options.ts';

/** The options as read, or why the command ends: in getopt's words, or in ours. */
export type ParsedOptions =
  | { readonly kind: 'options'; readonly options: SendmailOptions; readonly warnings: readonly string[] }
  | { readonly kind: 'invalid'; readonly complaint: string; readonly warnings: readonly string[] }
  | { readonly kind: 'fatal'; readonly text: string; readonly warnings: readonly string[] };

/** What is asked of the command line before main.cf is read: its place, and what getopt has to complain of. */
export function firstLook(args: readonly string[]): {
  readonly configDirectory?: string;
  complaints: readonly string[];
} {
  const complaints: string[] = [];
  let configDirectory: string | undefined;
  for (const part of commandParts(args)) {
    if (part.kind === 'complaint') complaints.push(part.text);
    if (part.kind === 'option' && part.letter === 'C')
      configDirectory = basename(part.value) === 'main.cf' ? dirname(part.value) : part.value;
  }
  return { complaints, ...(configDirectory !== undefined && { configDirectory }) };
}

/** `mode`: what is done where no option says so. */
export function parseCommandLine(args: readonly string[], mode: SendmailMode): ParsedOptions {
  const reader = new OptionReader(mode);
  const { options, warnings } = reader;
  for (const part of commandParts(args)) {
    if (part.kind === 'complaint') return { kind: 'invalid', complaint: part.text, warnings };
    if (part.kind === 'warning') warnings.push(part.text);
    if (part.kind === 'flush') reader.flush();
    if (part.kind === 'verp') options.verp = 'default';
    if (part.kind === 'operands') options.recipients = part.words;
    const problem = part.kind === 'option' ? reader.take(part.letter, part.value) : undefined;
    if (problem !== undefined) return { kind: 'fatal', text: problem, warnings };
  }
  if (options.hasInterval && options.mode !== 'daemon') {
    const nothing: SendmailOptions = { ...options, mode: 'ignore', site: undefined, queueId: undefined };
    return { kind: 'options', options: nothing, warnings };
  }
  const problem = conflictIn(options);
  if (problem !== undefined) return { kind: 'fatal', text: problem, warnings };
  return { kind: 'options', options, warnings };
}

/** What can't be asked for together, and what takes no recipients. */
function conflictIn(options: SendmailOptions): string | undefined {
  const { mode, site, queueId, extractsRecipients, recipients } = options;
  if (mode !== 'deliver') {
    if (extractsRecipients) return '-t can be used only in delivery mode';
    if (site !== undefined) return '-qR can be used only in delivery mode';
    if (queueId !== undefined) return '-qI can be used only in delivery mode';
  }
  if (options.verifies) {
    if (extractsRecipients) return '-t option cannot be used with -bv';
    if (options.notify.length > 0) return '-N option cannot be used with -bv';
    if (options.ret !== '') return '-R option cannot be used with -bv';
    if (options.verbosity === 1) return '-v option cannot be used with -bv';
  }
  if (recipients.length === 0) return undefined;
  if (site !== undefined) return 'flush site requires no recipient';
  if (queueId !== undefined) return 'flush queue_id requires no recipient';
  const what = modesWithoutMail[mode];
  return what === undefined ? undefined : `${what} requires no recipient`;
}

/** What takes no recipients, as messages call it. */
const modesWithoutMail: Partial<Record<SendmailMode, string>> = {
  daemon: 'daemon mode',
  mailq: 'display queue mode',
  newaliases: 'alias initialization mode',
  smtp: 'stand-alone mode',
  flush: 'flush queue mode',
};

/** The addresses of a word of the command line; a word without one is an empty address. */
export function commandLineRecipients(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const addresses = addressesOf(parseAddressList(word));
    return addresses.length > 0 ? addresses : [''];
  });
}
