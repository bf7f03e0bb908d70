import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { shellWord } from '../../../src/cli/shell-word.ts';

describe('a word of a command line', () => {
  it('is read by a shell as what it was', () => {
    for (const text of ['/opt/posthorn', "it's $here", '', '*', 'a;b', 'a\\b', '~', '"'])
      assert.equal(spawnSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' }).stdout, text);
  });

  it('stays as it is where nothing needs quotes', () => {
    assert.equal(shellWord('/opt/posthorn-0.1/bin'), '/opt/posthorn-0.1/bin');
  });
});
