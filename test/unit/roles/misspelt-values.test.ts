import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ConfigError, loadConfiguration } from '#config';
import { misspeltValues } from '../../../src/roles/misspelt-values.ts';

const master =
  'smtp inet n - n - - smtpd\nsmtp unix - - n - - smtp\nrelay unix - - n - - smtp\nlocal unix - n n - - local\nvirtual unix - n n - - virtual\n';

/** What is said of a main.cf whose first line is `myhostname`, with the directory's name taken out. */
function said(main: string): readonly string[] {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-misspelt-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\n${main}\n`);
    writeFileSync(join(directory, 'master.cf'), master);
    return misspeltValues(loadConfiguration(directory)).map((text) => text.replaceAll(`${directory}/`, ''));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('values that fail when mail comes', () => {
  it('are told with file, line, text and the nearest name', () => {
    const cases: Readonly<Record<string, string>> = {
      'mynetworks = 127.0.0.0/8,\n  192.0.2.0/99':
        'main.cf, line 3: mynetworks: bad mask length in "192.0.2.0/99"; as it stands, clients are answered 451 4.3.0',
      'virtual_alias_maps = hsh:/etc/x':
        'main.cf, line 2: virtual_alias_maps: unknown type of table in "hsh:/etc/x"; did you mean "hash"?; as it stands, each lookup fails and mail is deferred',
      'virtual_alias_maps = /etc/x':
        'main.cf, line 2: virtual_alias_maps: "/etc/x" has no type of table before it; write "hash:/etc/x" or another type; as it stands, each lookup fails and mail is deferred',
      'address_verify_map = proxy:bdree:/x':
        'main.cf, line 2: address_verify_map: a table of type "bdree" can\'t be used as a cache; did you mean "btree"?; as it stands, nothing is remembered',
      'smtp_requiretls_policy = inlin:{{x=disable}} enforce':
        'main.cf, line 2: smtp_requiretls_policy: unknown type of table in "inlin:{{x=disable}}"; did you mean "inline"?; as it stands, each lookup fails and mail is deferred',
      'known_tcp_ports = a=1, b = c = 70000':
        'main.cf, line 2: known_tcp_ports: "b = c = 70000" is not name=port; as it stands, it names no port',
      'smtpd_discard_ehlo_keywords = pipelinin':
        'main.cf, line 2: smtpd_discard_ehlo_keywords: unknown EHLO keyword "pipelinin"; did you mean "pipelining"?; as it stands, it changes nothing',
      'tls_ssl_options = NO_TICKET NO_TEA':
        'main.cf, line 2: unknown tls_ssl_options value "NO_TEA" in "NO_TICKET NO_TEA"; as it stands, it changes nothing',
      'mynetworks = 127.0.0.0/8 # our net':
        'main.cf, line 2: mynetworks: "# our net" is read as part of the value; put the comment on a line of its own',
      'relayhost = [mx.example.net] # provider':
        'main.cf, line 2: relayhost: "# provider" is read as part of the value; put the comment on a line of its own',
      'virtual_mailbox_maps = proxy:nis:aliases':
        'main.cf, line 2: virtual_mailbox_maps: tables of type nis are not in this version; as it stands, each lookup fails and mail is deferred',
      'content_filter = scan:[127.0.0.1]:10025':
        'main.cf, line 2: content_filter: master.cf has no service "scan"; as it stands, mail for it is deferred',
      'relayhost = [foo':
        'main.cf, line 2: relayhost: "[foo" is neither [host] nor [host]:port; as it stands, mail for it is deferred',
      'relayhost = [smtp.example.net:587]':
        'main.cf, line 2: relayhost: "[smtp.example.net:587]" is neither [host] nor [host]:port; as it stands, mail for it is deferred',
      'virtual_transport = virtul:x':
        'main.cf, line 2: virtual_transport: master.cf has no service "virtul"; did you mean "virtual"?; as it stands, mail for it is deferred',
    };
    for (const [main, expected] of Object.entries(cases)) assert.ok(said(main).includes(expected), said(main).join());
  });

  it('are told once, where they are set', () => {
    for (const main of ['transport_maps = hsh:/x', 'transport_maps = /x', 'transport_maps = static:x # fixed'])
      assert.equal(said(main).length, 1, said(main).join());
  });

  it('are nothing where all is well', () => {
    const main = [
      'mynetworks = 127.0.0.0/8, [::1]/128, fd00:1::/32, !192.0.2.1, example.net, cidr:/etc/n',
      'alias_maps = proxy:hash:/etc/aliases, unix:passwd.byname, static:x',
      'smtpd_discard_ehlo_keywords = silent-discard, DSN',
      'address_verify_map = $data_directory/verify',
      'postscreen_cache_map = proxy:/var/lib/postscreen',
      'relayhost = [192.0.2.1]:587, [2001:db8::1]:submission, [IPv6:::1]',
      'smtpd_recipient_restrictions = reject_unauth_destination, check_policy_service unix:private/policy',
    ];
    assert.deepEqual(said(main.join('\n')), []);
  });

  it('refuse the start where nothing could work', () => {
    for (const line of ['myhostname = foo bar', 'mydomain = -x', 'reject_code = 999'])
      assert.throws(() => said(line), ConfigError, line);
  });
});
