/** qshape(1): domains and ages of the mail in the queue. */
import { basename } from 'node:path';
import { ConfigError, findConfigDirectory, openSettings, type Settings } from '#config';
import { type GivenOption, lastValue, parseOptions } from './getopt.ts';
import type { CliIo } from './io.ts';
import { QueueShape, type ShapeRules } from './qshape/shape.ts';
import { shapeTable } from './qshape/table.ts';
import { readQueue } from './queue-listing.ts';

const usage = `usage: qshape [-s] [-p] [-m MIN_SUBDOMAINS] [-b BUCKETS] [-t MINUTES] [-l] [-w WIDTH]
              [-N MESSAGES] [-n TOP_DOMAINS] [-c CONFIG_DIRECTORY] [QUEUE ...]
  -s  domains of senders instead of recipients
  -p  parent domains too, with a leading dot, where they have MIN_SUBDOMAINS (5) subdomains
  -b  how many age groups (10), the first MINUTES (5) wide, each twice as wide as the one before
  -l  groups of one width
  -n  how many domains on a terminal (20)
Queues are incoming and active unless others are named.
`;

const queueNames = ['incoming', 'active', 'deferred', 'hold', 'corrupt', 'maildrop'];
const narrowest = 80;
const topDomains = 20;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  // -N is for a program that takes long
  const parsed = parseOptions(args, 'lhc:psw:b:t:m:n:N:');
  if (parsed.kind === 'invalid' || lastValue(parsed.options, 'h') !== undefined) {
    io.stderr(parsed.kind === 'invalid' ? `qshape: ${parsed.problem}\n${usage}` : usage);
    return 1;
  }
  const { options, operands } = parsed;
  const queues = operands.length === 0 ? ['incoming', 'active'] : operands.map((name) => basename(name));
  for (const name of queues.filter((queue) => !queueNames.includes(queue)))
    io.stderr(`qshape: ${name}: no such queue; known are ${queueNames.join(', ')}\n`);
  let settings: Settings;
  try {
    settings = openSettings(findConfigDirectory(lastValue(options, 'c'), io.env)).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const text of error.problems) io.stderr(`qshape: fatal: ${text}\n`);
    return 1;
  }
  const reading = await readQueue(settings, io, (text) => io.stderr(`qshape: warning: ${text}\n`));
  if (reading.kind === 'failed') {
    io.stderr(`qshape: fatal: ${reading.reason}\n`);
    return 1;
  }
  const rules = rulesOf(options);
  const shape = new QueueShape(rules);
  const bySender = lastValue(options, 's') !== undefined;
  const now = Date.now();
  for await (const { queue, envelope, recipients } of reading.messages) {
    if (!queues.includes(queue)) continue;
    const waiting = recipients.filter(({ state }) => state === 'pending').map(({ address }) => address);
    for (const address of bySender ? [envelope.sender] : waiting) shape.add(address, now - envelope.arrivedAt);
  }
  const width = Math.max(narrowest, numberOf(options, 'w', narrowest));
  const rows = shape.rows();
  const shown = (await io.isTerminal?.('stdout')) === true ? rows.slice(0, numberOf(options, 'n', topDomains)) : rows;
  io.stdout(shapeTable(shown, rules, width));
  return 0;
}

function numberOf(options: readonly GivenOption[], letter: string, otherwise: number): number {
  const value = Number(lastValue(options, letter));
  return value > 0 ? Math.floor(value) : otherwise;
}

function rulesOf(options: readonly GivenOption[]): ShapeRules {
  return {
    buckets: numberOf(options, 'b', 10),
    tickMinutes: numberOf(options, 't', 5),
    isLinear: lastValue(options, 'l') !== undefined,
    withParents: lastValue(options, 'p') !== undefined,
    minSubdomains: numberOf(options, 'm', 5),
  };
}
