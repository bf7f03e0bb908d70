/** The options of sendmail(1), one after the other: Sendmail's, most of which mean nothing here. */
import { addressesOf, parseAddressList } from '#address';
import type { Notify } from '#message';
import { type SendmailMode, type SendmailOptions, unchanged } from './options.ts';

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

export class OptionReader {
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
    const isAmbiguous = words.includes('never') && words.some((word) => word !== 'never');
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
