/** What becomes of deliveries when the machine has no descriptors left. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

/** Uses up all descriptors, then asks for work as a deliverer does. */
const script = `
const { openSync } = require('node:fs');
(async () => {
  const { createLocalPool } = await import(process.argv[1]);
  const pool = createLocalPool(7);
  const command = { kind: 'command', command: '/bin/cat', shell: '', environment: {}, directory: '', limitMs: 10000 };
  await pool.run(7, 7, command);
  try { for (;;) openSync('/dev/null'); } catch {}
  const results = [
    await pool.run(7, 7, command),
    await pool.run(7, 7, { kind: 'maildir', path: process.argv[2] + '/', hostname: 'h' }),
  ];
  process.stdout.write(JSON.stringify(results));
})();`;

describe('a delivery without a descriptor to be had', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'exhaustion-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  it('is tried again later, and the process lives on', () => {
    const delivery = join(import.meta.dirname, '../../../src/delivery/index.ts');
    const node = `ulimit -n 60; exec "$0" -e "$1" "$2" "$3"`;
    const ran = spawnSync('/bin/sh', ['-c', node, process.execPath, script, delivery, directory], { encoding: 'utf8' });
    assert.equal(ran.status, 0, ran.stderr);
    const results: unknown = JSON.parse(ran.stdout);
    assert.ok(Array.isArray(results));
    const [command, maildir] = results.map((result: unknown) => JSON.stringify(result));
    assert.match(command ?? '', /"failure":"fork: Too many open files"/);
    assert.match(maildir ?? '', /"code":"4\.3\.0"/);
  });
});
