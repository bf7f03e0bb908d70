/** What postmap and postalias do differently; all else they share. */
import type { SourceItem } from '#tables';

export interface MapCommandKind {
  readonly name: 'postmap' | 'postalias';
  readonly usage: string;
  /** Option letters without argument. */
  readonly flags: string;
  /** Between key and value in listings. */
  readonly separator: string;
  readonly readSource: (path: string, content: Uint8Array) => readonly SourceItem[];
  /** Entries that a new index gets besides those of the source. */
  readonly ownEntries: (myhostname: string) => readonly (readonly [string, string])[];
}

/** Ends the command with status 1 and a text. */
export class FatalError extends Error {}
