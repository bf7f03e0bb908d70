import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../../../src/cli/postlog.ts';

test("postlog takes logger(1)'s short names of priorities", async () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-postlog-'));
  const path = join(directory, 'mail.log');
  writeFileSync(
    join(directory, 'main.cf'),
    `myhostname = mail.example.com\nmail_owner = daemon\nmaillog_file = ${path}\nmaillog_file_prefixes = ${directory}\n`,
  );
  const io = {
    stdout: () => assert.fail(),
    stderr: () => assert.fail(),
    stdin: (async function* (): AsyncGenerator<Buffer> {})(),
    env: {},
    uid: 0,
  };
  try {
    assert.equal(await run(['-c', directory, '-p', 'ERR', '-t', 'job', 'no paper'], io), 0);
    assert.equal(await run(['-c', directory, '-p', 'crit', '-t', 'job', 'on fire'], io), 0);
    const logged = readFileSync(path, 'utf8').replaceAll(/^.{15} mail |\[\d+\]/gm, '');
    assert.equal(logged, 'job: error: no paper\njob: fatal: on fire\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
