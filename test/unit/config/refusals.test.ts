import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError, entryOf, formatFields, loadConfiguration } from '#config';

/** Problems that refuse the start, or else the warnings, with the directory's name taken out. */
function said(main: string, master = ''): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-refusals-'));
  const bare = (texts: readonly string[]): readonly string[] =>
    texts.map((text) => text.replaceAll(`${directory}/`, ''));
  try {
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main}\n`);
    writeFileSync(join(directory, 'master.cf'), `smtp inet n - n - - smtpd\n${master}`);
    return bare(loadConfiguration(directory).warnings);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return bare(error.problems);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a bad value', () => {
  it('is told of once, where it is written, and not again for each default that refers to it', () => {
    assert.deepEqual(said('mydestination = ${bad'), [
      'main.cf, line 2: bad value for parameter mydestination: "${bad": truncated macro reference: "${bad"',
    ]);
  });

  it('may be a time beyond a hundred days', () => {
    assert.deepEqual(said('maximal_queue_lifetime = 200d'), [
      'main.cf, line 2: bad value for parameter maximal_queue_lifetime: "200d": invalid: it must be at most 8640000 seconds',
    ]);
  });
});

describe('master.cf', () => {
  it('says which of two entries of a service is used', () => {
    assert.deepEqual(said('', 'smtp inet n - n - 5 smtpd\nsmtp unix - - n - - smtp\n'), [
      'master.cf, line 2: duplicate master.cf entry for service "smtp" (smtp) -- using the last entry',
    ]);
  });

  it('is shown in columns, where a long name takes the blanks of the next ones', () => {
    const shown = (text: string): string => {
      const entry = entryOf(text);
      return typeof entry === 'string' ? entry : formatFields(entry);
    };
    assert.equal(shown('smtp inet n - n - - smtpd'), 'smtp       inet  n       -       n       -       -       smtpd');
    assert.equal(
      shown('127.0.0.1:10587 inet n - n - - smtpd'),
      '127.0.0.1:10587 inet n   -       n       -       -       smtpd',
    );
  });
});
