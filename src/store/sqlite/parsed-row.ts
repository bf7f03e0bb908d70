/** The JSON columns of a message's row: parsed here, once, and what does not parse is reported as damaged. */
import type { Envelope, Outcome, Recipient } from '#message';
import { rowChecksum } from './checksums.ts';
import { outcomesOf } from './progress.ts';
import type { MessageRow } from './reader.ts';
import type { PartsOverview } from './recipient-parts.ts';

export interface ParsedRow {
  readonly envelope: Envelope;
  /** Themselves, or where they stand in parts how many there are. */
  readonly recipients: readonly Recipient[] | PartsOverview;
  readonly outcomes: readonly Outcome[];
}

export function isOverview(recipients: ParsedRow['recipients']): recipients is PartsOverview {
  return !Array.isArray(recipients);
}

/** Throws when the columns are damaged. */
export function parseRow(row: MessageRow): ParsedRow {
  if (rowChecksum(row.envelope, row.recipients) !== row.crc) throw new Error('envelope is damaged: checksum mismatch');
  const envelope: Envelope = JSON.parse(row.envelope);
  const recipients: ParsedRow['recipients'] | null = JSON.parse(row.recipients);
  if (typeof envelope?.sender !== 'string' || typeof recipients !== 'object' || recipients === null)
    throw new Error('envelope is damaged');
  return { envelope, recipients, outcomes: outcomesOf(row.outcomes) };
}
