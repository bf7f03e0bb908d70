/** The command line of sendmail(1): Sendmail's options, most of which mean nothing here. */
import { basename, dirname } from 'node:path';
import { addressesOf, parseAddressList } from '#address';
import type { MaildropEnvelope, Notify } from '#message';
import { commandParts } from './command-words.ts';

export type SendmailMode = 'deliver' | 'daemon' | 'newaliases' | 'mailq' | 'smtp' | 'flush' | 'ignore';

export interface SendmailOptions {
  mode: SendmailMode;
  /** -bv: says who would get the mail, instead of delivering it. */
  verifies: boolean;
  /** Internal form; undefined: the login name. */
  sender: string | undefined;
  /** -F; also when it is empty. */
  fullName: string | undefined;
  dotIsText: boolean;
  extractsRecipients: boolean;
  encoding: MaildropEnvelope['encoding'];
  rewriteContext: MaildropEnvelope['rewriteContext'];
  notify: readonly Notify[];
  ret: MaildropEnvelope['ret'];
  envid: string;
  /** Delimiters of -XV; 'default' for those of main.cf. */
  verp: string | undefined;
  verbosity: number;
  requireTls: boolean;
  smtputf8: boolean;
  aliasDatabase: string;
  /** -qR and -qI: what is flushed instead of anything else. */
  site: string | undefined;
  queueId: string | undefined;
  /** -q with a number: only a daemon would care. */
  hasInterval: boolean;
  recipients: readonly string[];
}

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

const unchanged: Omit<SendmailOptions, 'mode'> = {
  verifies: false,
  sender: undefined,
  fullName: undefined,
  dotIsText: false,
  extractsRecipients: false,
  encoding: '',
  rewriteContext: 'local',
  notify: [],
  ret: '',
  envid: '',
  verp: undefined,
  verbosity: 0,
  requireTls: false,
  smtputf8: false,
  aliasDatabase: '',
  site: undefined,
  queueId: undefined,
  hasInterval: false,
  recipients: [],
};

const modesOfB: Readonly<Record<string, SendmailMode>> = {
  d: 'daemon',
  l: 'daemon',
  h: 'ignore',
  H: 'ignore',
  i: 'newaliases',
  m: 'deliver',
  p: 'mailq',
  s: 'smtp',
};
const longestEnvid = 100;

class OptionReader {
  readonly warnings: string[] = [];
  readonly options: SendmailOptions;

  constructor(mode: SendmailMode) {
    this.options = { ...unchanged, mode };
  }

  /** -q alone. */
  flush(): void {
    if (this.options.mode === 'daemon') this.warnings.push('ignoring -q option in daemon mode');
    else this.options.mode = 'flush';
  }

  /** Takes one option; gives the text of a fatal error. */
  take(option: string, value: string): string | undefined {
    const { options } = this;
    switch (option) {
      case 'n':
        return '-n option not supported';
      case 'B':
        if (value !== '8BITMIME' && value !== '7BIT') return '-B option needs 8BITMIME or 7BIT';
        options.encoding = value === '7BIT' ? '7bit' : '8bit';
        return undefined;
      case 'F':
        options.fullName = value;
        return undefined;
      case 'G':
        options.rewriteContext = 'remote';
        return undefined;
      case 'I':
        options.mode = 'newaliases';
        return undefined;
      case 'N':
        this.#notify(value);
        return undefined;
      case 'R':
        this.#return(value);
        return undefined;
      case 'V':
        this.#envid(value);
        return undefined;
      case 'X':
        if (!value.startsWith('V')) return `unsupported: -X${value.charAt(0)}`;
        options.verp = value.slice(1);
        return undefined;
      case 'b':
        return this.#mode(value.charAt(0));
      case 'f':
      case 'r':
        this.#sender(value);
        return undefined;
      case 'i':
        options.dotIsText = true;
        return undefined;
      case 'o':
        return this.#oldOption(value);
      case 'O':
        this.#longOption(value);
        return undefined;
      case 'q':
        return this.#queue(value);
      case 't':
        options.extractsRecipients = true;
        return undefined;
      case 'v':
        options.verbosity++;
        return undefined;
      default:
        return undefined;
    }
  }

  #mode(letter: string): string | undefined {
    if (letter === 'v') {
      this.options.verifies = true;
      return undefined;
    }
    const mode = modesOfB[letter];
    if (mode === undefined) return `unsupported: -b${letter}`;
    if (mode === 'daemon' && this.options.mode === 'flush') this.warnings.push('ignoring -q option in daemon mode');
    this.options.mode = mode;
    return undefined;
  }

  #notify(value: string): void {
    const words = value
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((word) => word !== '');
    const known: readonly Notify[] = ['never', 'success', 'failure', 'delay'];
    const unknown = words.find((word) => !known.some((name) => name === word));
    if (unknown !== undefined) {
      this.warnings.push(`unknown DSN NOTIFY command value "${unknown}" in "${value}"`);
    }
    const isAmbiguous = words.includes('never') && words.length > 1;
    if (unknown !== undefined || isAmbiguous || words.length === 0) {
      this.warnings.push(`bad -N option value: '${value}' -- ignored`);
    } else {
      this.options.notify = known.filter((name) => words.includes(name));
    }
  }

  #return(value: string): void {
    const word = value.toLowerCase();
    if (word === 'full' || word === 'hdrs') this.options.ret = word;
    else this.warnings.push('bad -R option value -- ignored');
  }

  #envid(value: string): void {
    if (Buffer.byteLength(value) > longestEnvid) this.warnings.push('too long -V option value -- ignored');
    else if (!/^[ -~]+$/.test(value)) this.warnings.push('bad syntax in -V option value -- ignored');
    else this.options.envid = value;
  }

  #sender(value: string): void {
    const addresses = addressesOf(parseAddressList(value));
    if (addresses.length > 1) this.warnings.push(`-f option specified malformed sender: ${value}`);
    this.options.sender = addresses[0] ?? '';
  }

  #oldOption(value: string): string | undefined {
    if (value === 'A') return '-oA requires pathname';
    if (value.startsWith('A')) this.options.aliasDatabase = value.slice(1);
    else if (value.startsWith('i')) this.options.dotIsText = true;
    return undefined;
  }

  #longOption(value: string): void {
    const match = /^(requiretls|smtputf8)=(yes|no)$/i.exec(value);
    const name = match?.[1]?.toLowerCase();
    const isOn = match?.[2]?.toLowerCase() === 'yes';
    if (name === 'requiretls') this.options.requireTls = isOn;
    if (name === 'smtputf8') this.options.smtputf8 = isOn;
  }

  #queue(value: string): string | undefined {
    const letter = value.charAt(0);
    const rest = value.slice(1);
    if (/\d/.test(letter)) this.options.hasInterval = true;
    else if (letter === 'R') this.options.site = rest;
    else if (letter === 'I') this.options.queueId = rest;
    else return `-q${letter} is not implemented`;
    if (letter === 'R' && rest === '') return 'specify: -qRsitename';
    return letter === 'I' && rest === '' ? 'specify: -qIqueueid' : undefined;
  }
}

/** The addresses of a word of the command line; a word without one is an empty address. */
export function commandLineRecipients(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const addresses = addressesOf(parseAddressList(word));
    return addresses.length > 0 ? addresses : [''];
  });
}
