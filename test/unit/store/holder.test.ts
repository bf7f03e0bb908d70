import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isLiving, processStart } from '../../../src/store/sqlite/holder.ts';

/** Uses up all descriptors, then asks whether its parent lives. */
const script = `
const { openSync } = require('node:fs');
(async () => {
  const { isLiving, processStart } = await import(process.argv[1]);
  const holder = { pid: process.ppid, started: processStart(process.ppid) };
  const before = isLiving(holder);
  try { for (;;) openSync('/dev/null'); } catch {}
  try { process.stdout.write(before + ' ' + isLiving(holder)); }
  catch (error) { process.stdout.write(before + ' ' + error.code); }
})();`;

describe('the holder of a lease', () => {
  it('is living as long as its process is the one that registered', () => {
    const started = processStart(process.pid);
    assert.equal(isLiving({ pid: process.pid, started }), true);
    assert.equal(isLiving({ pid: process.pid, started: `${started}0` }), false);
    const { pid } = spawnSync('/bin/true');
    assert.equal(processStart(pid), '');
  });

  it('is not taken for dead by who has no descriptor left to look', () => {
    const holder = join(import.meta.dirname, '../../../src/store/sqlite/holder.ts');
    const node = `ulimit -n 60; "$0" -e "$1" "$2"`;
    const ran = spawnSync('/bin/sh', ['-c', node, process.execPath, script, holder], { encoding: 'utf8' });
    assert.equal(ran.stdout, 'true EMFILE', ran.stderr);
  });
});
