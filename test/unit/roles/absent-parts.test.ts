import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { absentParts } from '../../../src/roles/absent-parts.ts';

/** What is said of these files, with the directory's name taken out. `DIR` stands for it. */
function said(main: string, master = ''): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-absent-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main.replaceAll('DIR', directory)}\n`);
    writeFileSync(join(directory, 'master.cf'), `smtp inet n - n - - smtpd\n${master}`);
    writeFileSync(join(directory, 'there.pem'), 'x');
    return absentParts(loadConfiguration(directory)).map((text) => text.replaceAll(`${directory}/`, ''));
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
    assert.deepEqual(said('smtpd_tls_cert_file = DIR/there.pem\nsmtpd_tls_security_level = may'), []);
  });

  it('is the user of a command that mail goes to', () => {
    const entry = 'box unix - n n - - pipe user=nosuchuser:daemon argv=/bin/cat\n';
    assert.deepEqual(said('', entry), []);
    assert.deepEqual(said('virtual_transport = box:', entry), [
      'master.cf, line 2: service box/pipe: user=: there is no user "nosuchuser"; as it stands, mail for it is deferred',
    ]);
  });
});
