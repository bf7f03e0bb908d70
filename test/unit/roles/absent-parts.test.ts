import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { absentParts } from '../../../src/roles/absent-parts.ts';

/** What is said of these files, with the directory's name taken out. `DIR` stands for it. */
function said(main: string, master = '', now = Date.now()): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-absent-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main.replaceAll('DIR', directory)}\n`);
    writeFileSync(join(directory, 'master.cf'), `smtp inet n - n - - smtpd\n${master}`);
    writeFileSync(join(directory, 'there.pem'), 'x');
    return absentParts(loadConfiguration(directory), now).map((text) => text.replaceAll(`${directory}/`, ''));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('what is named and not there', () => {
  it('is a certificate, where TLS is offered', () => {
    const files = 'smtpd_tls_cert_file = DIR/gone.pem\nsmtpd_tls_key_file = DIR/there.pem';
    assert.deepEqual(said(files), []);
    const told =
      'main.cf, line 2: smtpd_tls_cert_file: open gone.pem: No such file or directory; as it stands, no client is offered TLS';
    assert.deepEqual(said(`${files}\nsmtpd_tls_security_level = may`), [told]);
    assert.deepEqual(said(`${files}\nsmtpd_use_tls = yes`), [told]);
    assert.deepEqual(said('smtpd_use_tls = yes\nsmtpd_tls_CAfile = DIR/gone.pem'), [
      told.replace('line 2: smtpd_tls_cert_file', 'line 3: smtpd_tls_CAfile'),
    ]);
  });

  it('is a key that does not fit, or a certificate whose time is not now', () => {
    const chain = join(import.meta.dirname, '../../e2e/support/test-only-key-and-certificate.pem');
    const tls = `smtpd_tls_security_level = may\nsmtpd_tls_chain_files = ${chain}`;
    assert.deepEqual(said(tls), []);
    assert.match(
      said(tls, '', Date.UTC(2900, 1))[0] ?? '',
      /^main.cf, line 3: smtpd_tls_chain_files: the certificate of CN=mail.example.com expired on .* \d+ GMT; as it stands, clients that check it go away$/,
    );
    assert.match(
      said(tls, '', 0)[0] ?? '',
      / is not valid before .* GMT; as it stands, clients that check it go away$/,
    );
    assert.deepEqual(said('smtpd_tls_cert_file = DIR/there.pem\nsmtpd_tls_security_level = may'), [
      'main.cf, line 2: smtpd_tls_cert_file: No PEM data in there.pem; as it stands, no client is offered TLS',
    ]);
  });

  it('is an authority that vouches for servers', () => {
    const anchors = 'smtp_tls_trust_anchor_file = DIR/there.pem, DIR/gone.pem';
    assert.deepEqual(said(anchors, 'smtp unix - - n - - smtp'), []);
    assert.deepEqual(said(`smtp_tls_security_level = secure\n${anchors}`, 'smtp unix - - n - - smtp'), [
      'main.cf, line 3: smtp_tls_trust_anchor_file: open gone.pem: No such file or directory; as it stands, mail that needs the right server waits',
    ]);
  });

  it('is a right to make mailboxes', () => {
    const directory = mkdtempSync(join(tmpdir(), 'spool-'));
    const main = `mail_spool_directory = ${directory}`;
    chmodSync(directory, 0o755);
    if (process.getuid?.() === 0) {
      assert.deepEqual(said(main), []);
      chownSync(directory, 5000, 5000);
    }
    assert.match(
      said(main)[0] ?? '',
      /^main.cf, line 2: mail_spool_directory: only its owner may write in .*; make it /,
    );
    assert.deepEqual(said(`${main}\nhome_mailbox = Maildir/`), []);
    chmodSync(directory, 0o2775);
    assert.deepEqual(said(main), []);
    rmSync(directory, { recursive: true });
    assert.deepEqual(said(main), []);
  });

  it('is the user of a command that mail goes to', () => {
    const entry = 'box unix - n n - - pipe user=nosuchuser:daemon argv=/bin/cat\n';
    assert.deepEqual(said('', entry), []);
    assert.deepEqual(said('virtual_transport = box:', entry), [
      'master.cf, line 2: service box/pipe: user=: there is no user "nosuchuser"; as it stands, mail for it is deferred',
    ]);
    assert.equal(said('', `${entry}scan inet n - n - - smtpd -o content_filter=box:\n`).length, 1);
  });
});
