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

  it('refuses what Postfix would end its daemons for', () => {
    for (const name of [
      'header_from_format',
      'lmtp_dns_support_level',
      'maillog_file_permissions',
      'non_bdb_migration_level',
      'non_empty_end_of_header_action',
      'sendmail_fix_line_endings',
      'smtp_address_verify_target',
      'smtpd_forbid_bare_newline',
      'smtpd_upstream_proxy_protocol',
      'syslog_facility',
    ]) {
      assert.throws(() => load(`${name} = bogus`), new RegExp(`${name}: "bogus": unknown word`), name);
    }
  });

  for (const line of [
    'inet_protocols = IPv4 ipv6',
    'notify_classes = bounce, 2bounce,software',
    'notify_classes =',
    'smtp_tls_security_level =',
    'smtp_tls_security_level = dane-only',
    'smtpd_forbid_bare_newline = Reject',
    'maillog_file_permissions = 640',
    'syslog_facility = local7',
    'smtp_dns_support_level =',
    'mailbox_delivery_lock = $virtual_mailbox_lock, dotlock',
  ]) {
    it(`takes ${line}`, () => load(line));
  }
});
