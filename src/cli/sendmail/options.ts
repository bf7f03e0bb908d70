/** The command line of sendmail(1): Sendmail's options, most of which mean nothing here. */
import { addressesOf, parseAddressList } from '#address';
import type { MaildropEnvelope, Notify } from '#message';

export type SendmailMode = 'deliver' | 'daemon' | 'newaliases' | 'mailq' | 'smtp' | 'verify' | 'ignore';

export interface SendmailOptions {
  mode: SendmailMode;
  /** Internal form; undefined: the login name. */
  sender: string | undefined;
  /** -F; also when it is empty. */
  fullName: string | undefined;
  configDirectory: string | undefined;
  dotIsText: boolean;
  extractsRecipients: boolean;
  encoding: MaildropEnvelope['encoding'];
  rewriteContext: MaildropEnvelope['rewriteContext'];
  notify: readonly Notify[];
  ret: MaildropEnvelope['ret'];
  envid: string;
  /** Delimiters of -XV; 'default' for those of main.cf. */
  verp: string;
  verbosity: number;
  requireTls: boolean;
  smtputf8: boolean;
  aliasDatabase: string;
  /** `-q…`: what it flushes, and how postqueue is asked. */
  flush: { readonly what: string; readonly args: readonly string[] } | undefined;
  recipients: readonly string[];
}

/** The options as read, or why the command ends. */
export type ParsedCommandLine =
  | { readonly kind: 'options'; readonly options: SendmailOptions; readonly warnings: readonly string[] }
  | { readonly kind: 'invalid'; readonly option: string; readonly reason: 'invalid option' | 'missing argument' }
  | { readonly kind: 'fatal'; readonly text: string; readonly warnings: readonly string[] };

const WITH_ARGUMENT = 'ABCFLNORVXbefhopqr';
const WITHOUT_ARGUMENT = 'GIUcimntvx';

/** `mode`: what is done where no option says so. */
export function parseCommandLine(args: readonly string[], mode: SendmailMode): ParsedCommandLine {
  const reader = new OptionReader(mode);
  let at = 0;
  for (; at < args.length; at++) {
    const word = args[at] ?? '';
    if (word === '--') {
      at++;
      break;
    }
    if (!word.startsWith('-') || word === '-') break;
    for (let index = 1; index < word.length; index++) {
      const option = word.charAt(index);
      if (!(WITH_ARGUMENT + WITHOUT_ARGUMENT).includes(option))
        return { kind: 'invalid', option, reason: 'invalid option' };
      let value = '';
      if (WITH_ARGUMENT.includes(option)) {
        value = word.slice(index + 1);
        index = word.length;
        // -q alone flushes the queue; a word behind it is a recipient.
        if (value === '' && option !== 'q') {
          at++;
          const next = args[at];
          if (next === undefined) return { kind: 'invalid', option, reason: 'missing argument' };
          value = next;
        }
      }
      const problem = reader.take(option, value);
      if (problem !== undefined) return { kind: 'fatal', text: problem, warnings: reader.warnings };
    }
  }
  reader.options.recipients = args.slice(at);
  const problem = reader.conflict();
  if (problem !== undefined) return { kind: 'fatal', text: problem, warnings: reader.warnings };
  return { kind: 'options', options: reader.options, warnings: reader.warnings };
}

const unchanged: Omit<SendmailOptions, 'mode'> = {
  sender: undefined,
  fullName: undefined,
  configDirectory: undefined,
  dotIsText: false,
  extractsRecipients: false,
  encoding: '',
  rewriteContext: 'local',
  notify: [],
  ret: '',
  envid: '',
  verp: '',
  verbosity: 0,
  requireTls: false,
  smtputf8: false,
  aliasDatabase: '',
  flush: undefined,
  recipients: [],
};

class OptionReader {
  readonly warnings: string[] = [];
  readonly options: SendmailOptions;

  constructor(mode: SendmailMode) {
    this.options = { ...unchanged, mode };
  }

  /** Takes one option; gives the text of a fatal error. */
  take(option: string, value: string): string | undefined {
    const { options } = this;
    switch (option) {
      case 'n':
        return '-n option not supported';
      case 'B': {
        const word = value.toUpperCase();
        if (word !== '8BITMIME' && word !== '7BIT') return '-B option needs 8BITMIME or 7BIT';
        options.encoding = word === '7BIT' ? '7bit' : '8bit';
        return undefined;
      }
      case 'C':
        options.configDirectory = value.replace(/\/main\.cf$/, '');
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
        if (!/^[\x21-\x7e]{0,100}$/.test(value)) return `bad -V option value: ${value}`;
        options.envid = value;
        return undefined;
      case 'X':
        if (!value.startsWith('V')) return `unsupported: -X${value.charAt(0)}`;
        options.verp = value.slice(1) || 'default';
        return undefined;
      case 'b':
        return this.#mode(value);
      case 'f':
      case 'r':
        this.#sender(value);
        return undefined;
      case 'i':
        options.dotIsText = true;
        return undefined;
      case 'o':
        this.#oldOption(value);
        return undefined;
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

  conflict(): string | undefined {
    const { mode, extractsRecipients, notify, ret, verbosity } = this.options;
    if (mode === 'verify') {
      if (extractsRecipients) return '-t option cannot be used with -bv';
      if (notify.length > 0) return '-N option cannot be used with -bv';
      if (ret !== '') return '-R option cannot be used with -bv';
      if (verbosity > 0) return '-v option cannot be used with -bv';
    }
    return undefined;
  }

  #mode(value: string): string | undefined {
    const modes: Readonly<Record<string, SendmailMode>> = {
      d: 'daemon',
      l: 'daemon',
      h: 'ignore',
      H: 'ignore',
      i: 'newaliases',
      m: 'deliver',
      p: 'mailq',
      s: 'smtp',
      v: 'verify',
    };
    const mode = modes[value.charAt(0)];
    if (mode === undefined) return `unsupported: -b${value}`;
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

  #sender(value: string): void {
    const addresses = addressesOf(parseAddressList(value));
    if (addresses.length > 1) this.warnings.push(`-f option specified malformed sender: ${value}`);
    this.options.sender = addresses[0] ?? '';
  }

  #oldOption(value: string): void {
    if (value.startsWith('A')) this.options.aliasDatabase = value.slice(1);
    else if (value === 'i') this.options.dotIsText = true;
    else if (value === 'v') this.options.verbosity++;
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
    if (letter === '') this.options.flush = { what: 'flush queue mode', args: ['-f'] };
    else if (letter === 'I') this.options.flush = { what: 'flush queue_id', args: ['-i', value.slice(1)] };
    else if (letter === 'R') this.options.flush = { what: 'flush site', args: ['-s', value.slice(1)] };
    else if (/\d/.test(letter)) this.options.mode = 'daemon';
    else return `-q${letter} is not implemented`;
    return undefined;
  }
}

/** The addresses of a word of the command line; a word without one is an empty address. */
export function commandLineRecipients(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const addresses = addressesOf(parseAddressList(word));
    return addresses.length > 0 ? addresses : [''];
  });
}
