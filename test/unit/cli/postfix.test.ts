import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { run } from '../../../src/cli/postfix.ts';

describe('postfix', () => {
  it('takes no configuration directory relative to where the operator stands', async () => {
    let text = '';
    const status = await run(['-c', 'relative/dir', 'start'], {
      stdout: () => assert.fail(),
      stderr: (piece) => void (text += piece),
      stdin: Readable.from([]),
      env: {},
      uid: 0,
    });
    assert.equal(`${text}${status}`, 'postfix: fatal: -c requires absolute pathname\n1');
  });
});
