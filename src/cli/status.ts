/**
 * `posthorn status`: what the queue manager has in hand, where it goes, and what it waits for. The queue itself is shown by
 * postqueue(1).
 */
import { parseArgs } from 'node:util';
import { ConfigError, findConfigDirectory, openSettings } from '#config';
import type { QueueManagerStatus } from '#qmgr';
import { EX_UNAVAILABLE, EX_USAGE } from './exit-status.ts';
import { askSystem } from './control-client.ts';
import type { CliIo } from './io.ts';

type DestinationStatus = QueueManagerStatus['transports'][number]['destinations'][number];

const reasons: Readonly<Record<NonNullable<DestinationStatus['waitReason']>, string>> = {
  'dead-destination': 'does not answer',
  'destination-limit': 'destination limit',
  'rate-delay': 'rate delay',
  'transport-limit': 'transport limit',
};

function waitText({ waitReason, nextMoment }: DestinationStatus, now: number): string {
  if (waitReason === undefined) return '';
  if (nextMoment === undefined) return reasons[waitReason];
  return `${reasons[waitReason]}, goes on in ${Math.max(0, Math.ceil((nextMoment - now) / 1000))}s`;
}

const titles = ['transport', 'destination', 'busy', 'waiting', 'window', 'waits for'];
/** Columns of numbers. */
const rightAligned: ReadonlySet<number> = new Set([2, 3, 4]);

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = titles.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (rightAligned.has(i) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** A line a destination, after how much there is. `now`: ms since the epoch */
export function statusText({ active, transports, unread }: QueueManagerStatus, now: number): string {
  const rows = transports.flatMap(({ transport, destinations }) =>
    destinations.map((destination) => {
      const { nexthop, busy, waiting, window } = destination;
      return [transport, nexthop, ...[busy, waiting, window].map(String), waitText(destination, now)];
    }),
  );
  const later = unread.map(
    ({ queueId, recipients }) => `${queueId}: ${recipients} recipients wait for room in memory\n`,
  );
  const table = rows.length === 0 ? '' : aligned([titles, ...rows]);
  return `${active} active message${active === 1 ? '' : 's'}\n${table}${later.join('')}`;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { config: { type: 'string' }, json: { type: 'boolean', default: false } },
    });
    const { settings } = openSettings(findConfigDirectory(values.config, io.env));
    const answer = await askSystem(settings.string('queue_directory'), 'public', { operation: 'status' });
    if (answer.kind !== 'ok' || answer.status === undefined) {
      const reason = answer.kind === 'failed' ? answer.reason : 'the mail system is down';
      io.stderr(`posthorn: fatal: ${reason}\n`);
      return EX_UNAVAILABLE;
    }
    io.stdout(values.json ? `${JSON.stringify(answer.status)}\n` : statusText(answer.status, Date.now()));
    return 0;
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const text of error.problems) io.stderr(`posthorn: fatal: ${text}\n`);
      return 1;
    }
    if (!(error instanceof TypeError)) throw error;
    io.stderr(`posthorn: ${error.message}\nusage: posthorn status [--config DIR] [--json]\n`);
    return EX_USAGE;
  }
}
