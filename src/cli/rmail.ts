/** rmail(1): takes mail from UUCP, whose first lines say who sent it, and hands it to sendmail. RFC 976, 2.4 */
import { EX_USAGE } from './exit-status.ts';
import type { CliIo } from './io.ts';
import { run as sendmail } from './sendmail.ts';

/** `From USER DATE remote from HOST`, one for each host that the mail has passed; the last hop stands first. */
const traceLine = /^>?From (\S+)(?:.* remote from (\S+))?/;
const maxTraceBytes = 65_536;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  if (args.length === 0) {
    io.stderr('usage: rmail recipient...\n');
    return EX_USAGE;
  }
  const input = io.stdin[Symbol.asyncIterator]();
  const hosts: string[] = [];
  let sender = '';
  let held: Buffer = Buffer.alloc(0);
  for (let hasEnded = false; ;) {
    const end = held.indexOf(0x0a);
    const match = end < 0 ? null : traceLine.exec(held.toString('latin1', 0, end));
    if (match !== null) {
      sender = match[1] ?? '';
      if (match[2] !== undefined) hosts.push(match[2]);
      held = held.subarray(end + 1);
      continue;
    }
    if (end >= 0 || hasEnded || held.length > maxTraceBytes) break;
    const next = await input.next();
    if (next.done === true) hasEnded = true;
    else held = Buffer.concat([held, next.value]);
  }
  const path = [...hosts, sender].join('!');
  const from = path === '' ? [] : ['-f', path];
  return sendmail(['-i', ...from, '--', ...args], { ...io, stdin: rest(held, input) });
}

async function* rest(held: Buffer, input: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield held;
  for (let next = await input.next(); next.done !== true; next = await input.next()) yield next.value;
}
