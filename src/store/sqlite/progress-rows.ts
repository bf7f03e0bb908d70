/** Rows of what is known of recipients in parts, as the writer thread changes them: each outcome rewrites its own part. */
import type { StatementSync } from 'node:sqlite';
import { contentChecksum } from './checksums.ts';
import type { Operation } from './operations.ts';
import { advance, outcomesOf, outcomesText, type Progress } from './progress.ts';
import { partsPerMessage } from './schema.ts';

/** A message that is gone by now has no progress. */
export function putProgress(
  { serial, partSize, changes }: Operation & { readonly kind: 'progress' },
  statement: (sql: string) => StatementSync,
): void {
  for (const { part, ...change } of changes) {
    const key = serial * partsPerMessage + part;
    const row = statement('SELECT done, outcomes FROM progress WHERE key = ?').get(key);
    const { done, outcomes } = advance(row === undefined ? undefined : toProgress(row), change, partSize);
    statement(
      `INSERT OR REPLACE INTO progress (key, crc, done, outcomes)
         SELECT ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM messages WHERE serial = ?)`,
    ).run(key, contentChecksum(done), done, outcomesText(outcomes), serial);
  }
}

function toProgress(row: Readonly<Record<string, unknown>>): Progress {
  const { done, outcomes } = row;
  return {
    done: done instanceof Uint8Array ? done : new Uint8Array(),
    outcomes: typeof outcomes === 'string' ? outcomesOf(outcomes) : [],
  };
}
