import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { run } from '../../../src/cli/posthorn.ts';

/** What a command said, and its exit status. */
async function said(...args: readonly string[]): Promise<{ out: string; status: number }> {
  let out = '';
  const status = await run(args, {
    stdout: (chunk) => void (out += String(chunk)),
    stderr: (chunk) => assert.fail(String(chunk)),
    stdin: Readable.from([]),
    env: {},
    uid: process.getuid?.() ?? 0,
  });
  return { out, status };
}

describe('posthorn', () => {
  it('tells how it is used', async () => {
    for (const args of [['help'], ['--help'], ['quick-start', '--help']]) {
      const { out, status } = await said(...args);
      assert.equal(status, 0);
      assert.match(out, /^usage: posthorn quick-start/);
    }
  });
});
