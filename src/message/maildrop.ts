/**
 * What `sendmail` leaves in the maildrop directory: a line of JSON with the envelope, then the content with LF line ends.
 *
 * A file is complete when its owner-execute bit is set; its owner is the submitter.
 */
import type { Notify } from './envelope.ts';

/** The envelope of a maildrop file. Addresses in internal form, not rewritten. */
export interface MaildropEnvelope {
  readonly format: 1;
  /** ms since the epoch. */
  readonly createdAt: number;
  readonly sender: string;
  readonly fullName: string;
  readonly recipients: readonly string[];
  /** How many of them, the last ones, stood in the header section (`sendmail -t`). */
  readonly fromHeader: number;
  readonly notify: readonly Notify[];
  readonly ret: '' | 'full' | 'hdrs';
  readonly envid: string;
  readonly encoding: '' | '7bit' | '8bit';
  readonly rewriteContext: 'local' | 'remote';
  readonly verp: string;
  readonly trace: '' | 'record' | 'verify';
  readonly requireTls: boolean;
  readonly smtputf8: boolean;
}

export function formatMaildropEnvelope(envelope: MaildropEnvelope): string {
  return `${JSON.stringify(envelope)}\n`;
}

const notifyWords: readonly Notify[] = ['never', 'success', 'failure', 'delay'];

/** Reads the first line; undefined when it is no envelope. Anybody may have written it. */
export function parseMaildropEnvelope(line: string): MaildropEnvelope | undefined {
  const value = parseJson(line);
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  const text = (name: string): string => stringOf(fields.get(name));
  const texts = (name: string): readonly string[] => {
    const list = fields.get(name);
    return Array.isArray(list) ? list.map(stringOf) : [];
  };
  const oneOf = <W extends string>(name: string, words: readonly W[], other: W): W =>
    words.find((word) => word === fields.get(name)) ?? other;
  const createdAt = fields.get('createdAt');
  const fromHeader = fields.get('fromHeader');
  if (fields.get('format') !== 1 || !Array.isArray(fields.get('recipients'))) return undefined;
  if (typeof fields.get('sender') !== 'string' || !isTime(createdAt)) return undefined;
  return {
    format: 1,
    createdAt,
    sender: text('sender'),
    fullName: text('fullName'),
    recipients: texts('recipients'),
    fromHeader: typeof fromHeader === 'number' ? fromHeader : 0,
    notify: notifyWords.filter((word) => texts('notify').includes(word)),
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
