import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError, loadConfiguration } from '#config';

function warnings(main: string, master: string): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-unsupported-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main}\n`);
    writeFileSync(join(directory, 'master.cf'), master);
    return loadConfiguration(directory).warnings.map((text) => text.replaceAll(`${directory}/`, ''));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a name behind $ that nothing defines', () => {
  it('is told with its place, as it stands for nothing', () => {
    const main =
      'own = x\nrelay_domains = $own,\n  ${mydestinaton}\nluser_relay = $user@example.com\nmyorigin = ${ {$own} == {x}?y:$( {x} != {} ? z) }';
    const master =
      'smtp inet n - n - - smtpd\n  -o mynetworks=$nets -o relayhost=$$x\n  -o relay_domains=${own?{$b}}\n';
    assert.deepEqual(warnings(main, master), [
      'main.cf, line 4: relay_domains: undefined parameter: mydestinaton (did you mean "mydestination"?)',
      'master.cf, line 2: mynetworks: undefined parameter: nets',
      'master.cf, line 3: relay_domains: undefined parameter: b',
    ]);
  });
});

describe('a name that nothing reads', () => {
  it('is told with its place, and is no restriction class, whoever names that and how', () => {
    const main = 'smtpd_restriction_classes = $more, a\nmore = c\nc = reject\na = permit\nb = x';
    const master =
      'smtp inet n - n - - smtpd -o smtpd_restriction_classes=own -o own=reject_unauth_destination -o other=x\n';
    assert.deepEqual(warnings(main, master), [
      'main.cf, line 6: unused parameter: b=x',
      'master.cf, line 1: unused parameter: other=x',
    ]);
  });
});

describe('what is allowed and not there', () => {
  const smtp = 'smtp inet n - n - - smtpd\n';
  const rest =
    'showing who one is by a raw public key (RFC 7250) is not in this version; clients are served without it';

  it('is told once with file and line, for main.cf and for a service of its own', () => {
    assert.deepEqual(
      warnings('smtpd_tls_enable_rpk = yes', `${smtp}x inet n - n - - smtpd -o smtpd_helo_required=yes\n`),
      [`main.cf, line 2: smtpd_tls_enable_rpk = yes: ${rest}`],
    );
    assert.deepEqual(warnings('', `${smtp}x inet n - n - - smtpd -o smtpd_tls_enable_rpk=yes\n`), [
      `master.cf, line 2: smtpd_tls_enable_rpk = yes: ${rest}`,
    ]);
  });

  it('is told of indexes that nobody makes, and not of what is there', () => {
    assert.deepEqual(warnings('smtp_tls_security_level = dane', smtp), []);
    assert.match(warnings('non_bdb_migration_level = enable-reindex', smtp).join(), /run postmap or postalias/);
  });

  it('is told of names with a successor, and of those that nobody reads any more', () => {
    assert.deepEqual(warnings('fallback_relay = [x]\nsmtp_tls_cipherlist = y', smtp), [
      'main.cf, line 3: unused parameter: smtp_tls_cipherlist=y (did you mean "smtp_tls_ciphers"?)',
      'main.cf, line 2: support for parameter "fallback_relay" will be removed; instead, specify "smtp_fallback_relay"',
    ]);
  });

  it('is no milter: only how to speak with one', () => {
    assert.deepEqual(warnings('milter_protocol = 2', `${smtp}x inet n - n - - smtpd -o milter_macro_v=y\n`), []);
    for (const name of ['smtpd_milters', 'smtpd_milter_maps', 'non_smtpd_milters'])
      assert.throws(() => warnings(`${name} = inet:localhost:8891`, smtp), ConfigError, name);
  });

  it('is nothing when it is not asked for', () => {
    assert.deepEqual(warnings('smtpd_tls_enable_rpk = no', smtp), []);
  });
});
