import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';

/** Standard output that was used as a stream doesn't block any more: a write that finds no room fails. */
const script = `
import { createFileSink } from ${JSON.stringify(join(import.meta.dirname, '../../../src/events/index.ts'))};
process.stdout.write('');
const sink = createFileSink(1, 'mail');
process.stderr.write('begun');
const record = (n) => ({ at: 0, tag: 'test', pid: 1, event: { kind: 'warning', text: n + ' ' + '.'.repeat(100) } });
for (let n = 0; n < 5000; n += 1) sink.write([record(n)]);
`;

describe('the log on standard output', () => {
  it('waits for a reader that begins to read late', async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
    await once(child.stderr, 'data');
    const lines = (await text(child.stdout)).split('\n');
    assert.equal(lines.length, 5001);
  });
});
