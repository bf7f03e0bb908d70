/** Words that a parameter does not know refuse the start. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError, loadConfiguration } from '#config';

function load(line: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-words-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `# one line\n${line}\n`);
    writeFileSync(join(directory, 'master.cf'), 'smtp inet n - n - - smtpd\n');
    loadConfiguration(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a parameter with a closed set of words', () => {
  it('refuses another word, by file, line, name and what is known', () => {
    assert.throws(
      () => load('inet_protocols = ipv4, ipv5'),
      (error) =>
        error instanceof ConfigError &&
        /main\.cf, line 2: bad value for parameter inet_protocols: "ipv4, ipv5": unknown word "ipv5"; known are all, ipv4, ipv6/.test(
          error.problems.join('\n'),
        ),
    );
  });

  for (const line of [
    'inet_protocols = IPv4 ipv6',
    'notify_classes = bounce, 2bounce,software',
    'notify_classes =',
    'smtp_tls_security_level =',
    'smtp_tls_security_level = dane-only',
    'mailbox_delivery_lock = $virtual_mailbox_lock, dotlock',
  ]) {
    it(`takes ${line}`, () => load(line));
  }
});
