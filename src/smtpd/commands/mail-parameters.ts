/** Parameters of MAIL and RCPT. RFC 1870, 6152, 3461, 6531, 8689 */
import type { Notify } from '#message';
import { decodeUtf8Xtext, decodeXtext } from '#smtp';

export interface MailParameters {
  readonly size: number;
  /** AUTH=, RFC 4954, 5, as it came; undefined when none or `<>` was given. */
  readonly saslSender: string | undefined;
  readonly encoding: '' | '7bit' | '8bit';
  readonly smtputf8: boolean;
  readonly ret: '' | 'full' | 'hdrs';
  readonly envid: string;
  /** XVERP delimiters, or ''. VERP_README */
  readonly verp: string;
  /** RFC 8689 */
  readonly requireTls: boolean;
}

export interface ParameterRules {
  /** Told what the log says of a bad parameter. */
  readonly warn?: (text: string) => void;
  /** SIZE= of a refused MAIL before this one in the session, which counts until something resets it; and who remembers it. */
  readonly size?: number;
  readonly onSize?: (size: number) => void;
  /** In the same way its AUTH=, and who remembers it. */
  readonly saslSender?: string | undefined;
  readonly onSaslSender?: (sender: string) => void;
  /** Keywords that were not announced. */
  readonly discarded: ReadonlySet<string>;
  readonly smtputf8?: boolean;
  /** REQUIRETLS was announced. */
  readonly requireTls?: boolean;
  /** Given when the client may use XVERP. */
  readonly xverp?: { readonly defaultDelimiters: string; readonly filter: string } | undefined;
}

/** Of a 64-bit file offset. */
const maxFileSize = 2n ** 63n - 1n;
const dsnDisabled = '501 5.7.1 DSN support is disabled';

/** Reads MAIL's parameters; a text is the reply that refuses them. */
export function parseMailParameters(words: readonly string[], rules: ParameterRules): MailParameters | string {
  let out: MailParameters = {
    size: rules.size ?? 0,
    saslSender: rules.saslSender,
    encoding: '',
    smtputf8: false,
    ret: '',
    envid: '',
    verp: '',
    requireTls: false,
  };
  for (const word of words) {
    const next = mailParameter(word, out, rules);
    if (typeof next === 'string') return next;
    out = next;
  }
  return out;
}

function mailParameter(word: string, so: MailParameters, rules: ParameterRules): MailParameters | string {
  const upper = word.toUpperCase();
  const value = word.slice(word.indexOf('=') + 1);
  if (upper.startsWith('BODY=')) {
    if (upper === 'BODY=8BITMIME') return { ...so, encoding: '8bit' };
    if (upper === 'BODY=7BIT') return { ...so, encoding: '7bit' };
  }
  if (upper.startsWith('SIZE=')) {
    if (!/^\d+$/.test(value)) return '501 5.5.4 Bad message size syntax';
    const isTooMuch = BigInt(value) > maxFileSize;
    const size = isTooMuch ? 0 : Number(value);
    rules.onSize?.(size);
    return isTooMuch ? '552 5.3.4 Message size exceeds file system imposed limit' : { ...so, size };
  }
  if (upper === 'SMTPUTF8' && rules.smtputf8 === true && !rules.discarded.has('smtputf8'))
    return { ...so, smtputf8: true };
  if (upper === 'REQUIRETLS' && rules.requireTls === true) return { ...so, requireTls: true };
  if (upper.startsWith('RET=')) {
    if (rules.discarded.has('dsn')) return dsnDisabled;
    if (so.ret !== '' || !/^(?:full|hdrs)$/i.test(value)) return '501 5.5.4 Bad RET parameter syntax';
    return { ...so, ret: /^full$/i.test(value) ? 'full' : 'hdrs' };
  }
  if (upper.startsWith('ENVID=')) {
    if (rules.discarded.has('dsn')) return dsnDisabled;
    // as in a C string, nothing is behind a null character
    const envid = decodeXtext(value)?.replace(/\0.*/s, '');
    if (so.envid !== '' || envid === undefined || envid === '' || /[^ -~]/.test(envid)) {
      return '501 5.5.4 Bad ENVID parameter syntax';
    }
    return { ...so, envid };
  }
  if (upper.startsWith('AUTH=')) {
    if (so.saslSender !== undefined) return '503 5.5.4 Error: multiple AUTH= options';
    if (value === '<>') return so;
    rules.onSaslSender?.(value);
    return { ...so, saslSender: value };
  }
  if (rules.xverp !== undefined && upper === 'XVERP') return { ...so, verp: rules.xverp.defaultDelimiters };
  if (rules.xverp !== undefined && upper.startsWith('XVERP=')) {
    const { filter } = rules.xverp;
    if (value.length === 2 && filter.includes(value.charAt(0)) && filter.includes(value.charAt(1)))
      return { ...so, verp: value };
    return `501 5.5.4 Error: XVERP needs two characters from ${filter}`;
  }
  return `555 5.5.4 Unsupported option: ${word}`;
}

export interface RecipientParameters {
  readonly notify: readonly Notify[];
  readonly dsnOriginal: string;
}

const notifyWords: Readonly<Record<string, Notify>> = {
  NEVER: 'never',
  SUCCESS: 'success',
  FAILURE: 'failure',
  DELAY: 'delay',
};

/** The values of NOTIFY, each once; undefined when they make no sense. Empty ones are overlooked. RFC 3461, 4.1 */
function notifyFlags(value: string, { warn }: ParameterRules): readonly Notify[] | undefined {
  const flags = new Set<Notify>();
  for (const word of value.split(',').filter((part) => part !== '')) {
    const flag = notifyWords[word.toUpperCase()];
    if (flag === undefined) {
      warn?.(`unknown DSN NOTIFY command value "${word}" in "${value}"`);
      return undefined;
    }
    flags.add(flag);
  }
  return flags.size === 0 || (flags.has('never') && flags.size > 1) ? undefined : [...flags];
}

/** Reads RCPT's parameters; a text is the reply that refuses them. */
export function parseRecipientParameters(
  words: readonly string[],
  rules: ParameterRules,
): RecipientParameters | string {
  let notify: readonly Notify[] = [];
  let dsnOriginal = '';
  for (const word of words) {
    const value = word.slice(word.indexOf('=') + 1);
    if (/^NOTIFY=/i.test(word)) {
      if (rules.discarded.has('dsn')) return dsnDisabled;
      const flags = notify.length > 0 ? undefined : notifyFlags(value, rules);
      if (flags === undefined) return '501 5.5.4 Error: Bad NOTIFY parameter syntax';
      notify = flags;
    } else if (/^ORCPT=/i.test(word)) {
      if (rules.discarded.has('dsn')) return dsnDisabled;
      const match = /^([^;]+);(.*)$/.exec(value);
      const decode = match?.[1]?.toLowerCase() === 'utf-8' ? decodeUtf8Xtext : decodeXtext;
      const decoded = match?.[2] === undefined ? undefined : decode(match[2]);
      if (dsnOriginal !== '' || match === null || decoded === undefined)
        return '501 5.5.4 Error: Bad ORCPT parameter syntax';
      dsnOriginal = `${match[1] ?? ''};${decoded}`;
    } else return `555 5.5.4 Unsupported option: ${word}`;
  }
  return { notify, dsnOriginal };
}
