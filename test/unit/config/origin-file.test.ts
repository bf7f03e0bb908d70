import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError, openSettings } from '#config';

/** myorigin and a value that refers to it, with `content` in the file that it names; undefined: no such file. */
function origin(content: string | undefined): { readonly myorigin: string; readonly banner: string } {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-origin-'));
  try {
    const file = join(directory, 'mailname');
    if (content !== undefined) writeFileSync(file, content);
    writeFileSync(join(directory, 'main.cf'), `myorigin = ${file}\nsmtpd_banner = $myorigin ESMTP\n`);
    const { settings } = openSettings(directory);
    return { myorigin: settings.string('myorigin'), banner: settings.string('smtpd_banner') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('myorigin as a path', () => {
  it('is the name on the first line of the file, wherever it is referred to', () => {
    assert.deepEqual(origin('name.example.org  \nsecond.example.org\n'), {
      myorigin: 'name.example.org',
      banner: 'name.example.org ESMTP',
    });
  });

  it('is refused when there is no file, or no name in it', () => {
    for (const [content, reason] of [
      [undefined, /cannot open file: No such file or directory$/],
      ['', /its first line is empty/],
      ['# comment\nname.example.org\n', /must not contain multiple values: # comment/],
    ] as const)
      assert.throws(
        () => origin(content),
        (error: unknown) => error instanceof ConfigError && reason.test(error.problems[0] ?? ''),
      );
  });
});
