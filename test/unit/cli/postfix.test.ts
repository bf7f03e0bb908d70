import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { run } from '../../../src/cli/postfix.ts';

/** What it prints as this user, and its exit status. */
async function printed(args: readonly string[], uid: number, isTerminal = false): Promise<string> {
  let text = '';
  const status = await run(args, {
    stdout: () => assert.fail(),
    stderr: (piece) => void (text += piece),
    stdin: Readable.from([]),
    env: {},
    uid,
    isTerminal: () => Promise.resolve(isTerminal),
  });
  return `${text}${status}`;
}

describe('postfix', () => {
  it('takes no configuration directory relative to where the operator stands', async () => {
    assert.equal(await printed(['-c', 'relative/dir', 'start'], 0), 'postfix: fatal: -c requires absolute pathname\n1');
  });

  it('is for the owner of the queue, and tells others what they may have meant', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-postfix-'));
    try {
      const log = join(directory, 'mail.log');
      writeFileSync(
        join(directory, 'main.cf'),
        `myhostname = mail.example.com\nmail_owner = daemon\nqueue_directory = ${directory}\nmaillog_file = ${log}\nmaillog_file_prefixes = ${directory}\n`,
      );
      const lines =
        'postfix: error: to submit mail, use the Postfix sendmail command\n' +
        'postfix: fatal: the postfix command is reserved for the superuser\n';
      assert.equal(await printed(['-c', directory, 'status'], 54_321, true), `${lines}1`);
      assert.equal(await printed(['-c', directory, 'status'], 54_321), '1', 'for people at a terminal only');
      assert.equal(readFileSync(log, 'utf8').replaceAll(/^.{15} \S+ |\[\d+\]/gm, ''), lines + lines);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
