/**
 * What `sendmail` leaves in the maildrop directory: a line of JSON with the envelope, then the content with LF line ends.
 *
 * A file is complete when its owner-execute bit is set; its owner is the submitter.
 */
import type { Notify } from './envelope.ts';

/** A file whose envelope is longer is none that pickup(8) reads. */
export const maxMaildropEnvelopeBytes = 16 * 1024 * 1024;

export interface MaildropRecipient {
  readonly address: string;
  readonly notify: readonly Notify[];
  /** RFC 3461 ORCPT as `type;address`; '' when none. */
  readonly dsnOriginal: string;
}

/** The envelope of a maildrop file. Addresses in internal form, not rewritten. */
export interface MaildropEnvelope {
  readonly format: 1;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly sender: string;
  readonly fullName: string;
  readonly recipients: readonly MaildropRecipient[];
  /** How many of them, the last ones, stood in the header section (`sendmail -t`). */
  readonly fromHeader: number;
  readonly ret: '' | 'full' | 'hdrs';
  readonly envid: string;
  readonly encoding: '' | '7bit' | '8bit';
  readonly rewriteContext: 'local' | 'remote';
  readonly verp: string;
  readonly trace: '' | 'record' | 'verify';
  readonly requireTls: boolean;
  readonly smtputf8: boolean;
}

/**
 * `recipients` holds addresses, and `notify` what goes for all of them; `dsn` is only there where they differ, or have an
 * ORCPT. So what an older sendmail left is read, and an older pickup that still runs takes what this one leaves.
 */
export function formatMaildropEnvelope({ recipients, ...others }: MaildropEnvelope): string {
  const all = recipients[0]?.notify ?? [];
  const areAlike = recipients.every(({ notify, dsnOriginal }) => dsnOriginal === '' && notify.join() === all.join());
  const line = {
    ...others,
    recipients: recipients.map(({ address }) => address),
    notify: areAlike ? all : [],
    ...(!areAlike && { dsn: recipients.map(({ notify, dsnOriginal }) => ({ notify, original: dsnOriginal })) }),
  };
  return `${JSON.stringify(line)}\n`;
}

const notifyWords: readonly Notify[] = ['never', 'success', 'failure', 'delay'];

/** Reads the first line; undefined when it is no envelope. Anybody may have written it. */
export function parseMaildropEnvelope(line: string): MaildropEnvelope | undefined {
  const fields = fieldsOf(parseJson(line));
  const text = (name: string): string => stringOf(fields.get(name));
  const texts = (name: string): readonly string[] => {
    const list = fields.get(name);
    return Array.isArray(list) ? list.map(stringOf) : [];
  };
  const oneOf = <W extends string>(name: string, words: readonly W[], other: W): W =>
    words.find((word) => word === fields.get(name)) ?? other;
  const all = notifyOf(fields.get('notify'));
  const dsn = fields.get('dsn');
  const dsnOf = Array.isArray(dsn) ? (index: number) => ownDsn(dsn[index]) : () => ({ notify: all, dsnOriginal: '' });
  const createdAt = fields.get('createdAt');
  const fromHeader = fields.get('fromHeader');
  if (fields.get('format') !== 1 || !Array.isArray(fields.get('recipients'))) return undefined;
  if (typeof fields.get('sender') !== 'string' || !isTime(createdAt)) return undefined;
  return {
    format: 1,
    createdAt,
    sender: text('sender'),
    fullName: text('fullName'),
    recipients: texts('recipients').map((address, index) => ({ address, ...dsnOf(index) })),
    fromHeader: typeof fromHeader === 'number' ? fromHeader : 0,
    ret: oneOf('ret', ['', 'full', 'hdrs'], ''),
    envid: text('envid'),
    encoding: oneOf('encoding', ['', '7bit', '8bit'], ''),
    rewriteContext: oneOf('rewriteContext', ['local', 'remote'], 'local'),
    verp: text('verp'),
    trace: oneOf('trace', ['', 'record', 'verify'], ''),
    requireTls: fields.get('requireTls') === true,
    smtputf8: fields.get('smtputf8') === true,
  };
}

function notifyOf(value: unknown): readonly Notify[] {
  return Array.isArray(value) ? notifyWords.filter((word) => value.includes(word)) : [];
}

/** What is asked for one recipient. An ORCPT without its type is none. */
function ownDsn(value: unknown): Omit<MaildropRecipient, 'address'> {
  const fields = fieldsOf(value);
  const original = stringOf(fields.get('original'));
  return { notify: notifyOf(fields.get('notify')), dsnOriginal: /^[^;]+;/.test(original) ? original : '' };
}

/** Of what is no object, none. */
function fieldsOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

/** What a `Date` can hold, from 1970 on. */
function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 8.64e15;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // What is not JSON is not an envelope either.
    return undefined;
  }
}

/** A field as one line of text: no control characters get into headers or the log by this way. */
function stringOf(value: unknown): string {
  // oxlint-disable-next-line no-control-regex -- what is to be taken out
  return typeof value === 'string' ? value.replace(/[\x00-\x1f\x7f]/g, ' ') : '';
}
