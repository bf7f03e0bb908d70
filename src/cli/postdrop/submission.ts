/** What the records of a submission say: its envelope, piece by piece. postdrop(1) */
import { splitAssignment } from '#config';
import { toInternal } from '#address';
import type { MaildropEnvelope, MaildropRecipient, Notify } from '#message';
import type { InputRecord } from './record-reader.ts';

/** What may stand in each part; the mark that ends it is among them. */
const allowed = { envelope: 'FSRVAinM', content: 'NLX', extracted: 'EAR' } as const;
type Part = keyof typeof allowed;

const notifyBits: readonly (readonly [bit: number, word: Notify])[] = [
  [1, 'never'],
  [2, 'success'],
  [4, 'failure'],
  [8, 'delay'],
];

/** A record that has no business here. */
export class UnexpectedRecord extends Error {}

export class SubmissionReader {
  readonly #warn: (text: string) => void;
  readonly #recipients: MaildropRecipient[] = [];
  readonly #values: { fullName?: string; verp?: string; envid?: string; encoding?: '7bit' | '8bit' } = {};
  #part: Part = 'envelope';
  /** Of the next recipient. */
  #notify = 0;
  #dsnOriginal = '';
  #ret = '';
  #trace = '';
  #context: 'local' | 'remote' = 'local';
  #isMidLine = false;
  sender: string | undefined;
  hasEnded = false;

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  get recipientCount(): number {
    return this.#recipients.length;
  }

  /** Takes a record; gives text of the content, LF line ends. Throws UnexpectedRecord. */
  take({ type, data }: InputRecord): Buffer | undefined {
    if (!allowed[this.#part].includes(type))
      throw new UnexpectedRecord(`unexpected record type: ${type.charCodeAt(0)}`);
    const text = data.toString('utf8');
    switch (type) {
      case 'S':
        this.sender = toInternal(text);
        return undefined;
      case 'R':
        this.#recipient(toInternal(text));
        return undefined;
      case 'F':
        this.#values.fullName = text;
        return undefined;
      case 'V':
        this.#values.verp = text;
        return undefined;
      case 'i':
        this.#values.envid = text;
        return undefined;
      case 'n':
        this.#notify = Number(text) || 0;
        return undefined;
      case 'A':
        this.#attribute(text);
        return undefined;
      case 'M':
        this.#part = 'content';
        return undefined;
      case 'X':
        this.#part = 'extracted';
        return this.#isMidLine ? Buffer.from('\n') : undefined;
      case 'E':
        this.hasEnded = true;
        return undefined;
      default:
        this.#isMidLine = type === 'L';
        return type === 'L' ? data : Buffer.concat([data, Buffer.from('\n')]);
    }
  }

  #recipient(address: string): void {
    const notify = notifyBits.filter(([bit]) => (this.#notify & bit) !== 0).map(([, word]) => word);
    this.#recipients.push({ address, notify, dsnOriginal: this.#dsnOriginal });
    this.#notify = 0;
    this.#dsnOriginal = '';
  }

  #attribute(text: string): void {
    const pair = splitAssignment(text);
    if (typeof pair === 'string') {
      this.#warn(`ignoring malformed record: ${pair.replace(/: ".*"$/, '')}: ${text}`);
      return;
    }
    const { name, value } = pair;
    if (name === 'rewrite_context') this.#context = value === 'remote' ? 'remote' : 'local';
    else if (name === 'encoding') this.#values.encoding = value === '7bit' ? '7bit' : '8bit';
    else if (name === 'envelope_id') this.#values.envid = value;
    else if (name === 'ret_flags') this.#ret = value;
    else if (name === 'notify_flags') this.#notify = Number(value) || 0;
    else if (name === 'dsn_orig_rcpt') this.#dsnOriginal = value;
    else if (name === 'trace_flags') this.#trace = value;
    else if (name !== 'create_time') this.#warn(`ignoring attribute record: ${text}`);
  }

  /** `now`: ms since the epoch. What the submitter says about the time counts for nothing. */
  envelope(now: number): MaildropEnvelope {
    const { fullName = '', verp = '', envid = '', encoding = '' } = this.#values;
    return {
      format: 1,
      createdAt: now,
      sender: this.sender ?? '',
      fullName,
      recipients: this.#recipients,
      fromHeader: 0,
      ret: this.#ret === '1' ? 'full' : this.#ret === '2' ? 'hdrs' : '',
      envid,
      encoding,
      rewriteContext: this.#context,
      verp,
      trace: this.#trace === '256' ? 'verify' : this.#trace === '1024' ? 'record' : '',
      requireTls: false,
      smtputf8: false,
    };
  }
}
