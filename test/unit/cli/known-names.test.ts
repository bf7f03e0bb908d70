import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ParameterRegistry, parseMainFile, readMasterText } from '#config';
import { findKnownNames, unusedInMain, unusedInMaster } from '../../../src/cli/postconf/known-names.ts';

function warningsAbout(
  text: string,
  entries = '',
  overrides: ReadonlyMap<string, string> = new Map(),
): readonly string[] {
  const warnings: string[] = [];
  const main = parseMainFile('main.cf', text);
  const master = readMasterText('master.cf', entries, (warning) => warnings.push(warning));
  assert.ok(typeof master !== 'string');
  const registry = new ParameterRegistry();
  const names = findKnownNames(
    { main, overrides, master, masterPath: 'master.cf', registry, expand: (value) => value.replace('$list', 'ours') },
    (warning) => warnings.push(warning),
  );
  warnings.push(
    ...unusedInMain(main, registry, names, overrides),
    ...unusedInMaster('master.cf', master, registry, names),
  );
  return warnings;
}

describe('names in main.cf', () => {
  it('are warned of when a value refers to one that nothing defines', () => {
    assert.deepEqual(warningsAbout('relayhost = $nosuch\n'), ['main.cf: undefined parameter: nosuch']);
  });

  it('are warned of when nothing uses them, those of the command line, too', () => {
    assert.deepEqual(warningsAbout('zz = 1\n', '', new Map([['b', '2']])), [
      'main.cf: unused parameter: b=2',
      'main.cf: unused parameter: zz=1',
    ]);
  });

  it('are told of a file of a table that cannot be read', () => {
    const file = import.meta.filename;
    assert.deepEqual(warningsAbout(`virtual_alias_maps = mysql:/nowhere/x, mysql:/, mysql:${file}/x\n`), [
      'open "mysql" configuration "/nowhere/x": No such file or directory',
      'open "mysql" configuration "/": not a regular file',
      `open "mysql" configuration "${file}/x": Not a directory`,
    ]);
  });

  it('are told of a comment behind a value, with its first 20 characters', () => {
    assert.deepEqual(warningsAbout('default_process_limit = 200 # raised for the campaign\nrelayhost = a#b {#c}\n'), [
      'main.cf: #comment after other text is not allowed: # raised for the campa...',
    ]);
    assert.deepEqual(warningsAbout('', 'a unix - - n - - smtp -o { relayhost = x #y z }\n'), [
      'master.cf: #comment after other text is not allowed: #y z...',
    ]);
  });

  it('may be for services to define, as restriction classes may', () => {
    const text = 'relayhost = $both $theirs\nboth = 1\nsmtpd_restriction_classes = $list\nlist = ours\n';
    const entry = 'a unix - - n - - smtp -o both=2 -o theirs=3 -o ours=reject -o other=4\n';
    assert.deepEqual(warningsAbout(text, entry), ['master.cf: unused parameter: other=4']);
  });

  it('are those of a table only where a parameter opens one', () => {
    assert.deepEqual(warningsAbout('virtual_alias_maps = ldap:a\na_bind = no\nb = ldap:c\nc_bind = no\n'), [
      'main.cf: unused parameter: b=ldap:c',
      'main.cf: unused parameter: c_bind=no',
    ]);
  });

  it('are warned of once in a service that sets them twice', () => {
    assert.deepEqual(warningsAbout('', 'a unix - - n - - smtp -o b=1 -o b=2\n'), ['master.cf: unused parameter: b=2']);
  });

  it('are warned of when only the program itself can know what they stand for', () => {
    assert.deepEqual(warningsAbout('process_name = a\n', 'a unix - - n - - smtp -o service_name=b\n'), [
      'master.cf: read-only parameter assignment: service_name=b',
      'main.cf: read-only parameter assignment: process_name=a',
    ]);
  });

  it('are known when the user defines them', () => {
    assert.deepEqual(warningsAbout('ours = a\nrelayhost = $ours\n'), []);
  });

  it('that stand in for a recipient, a client or a list are not looked up', () => {
    const text = 'forward_path = $home/.forward\nluser_relay = $user@x\ndefault_rbl_reply = $rbl_code no\n';
    assert.deepEqual(warningsAbout(text), []);
  });

  it('that a database table is set with are known', () => {
    const text = 'transport_maps = proxy:ldap:one, mysql:two\none_server_host = x\ntwo_query = y\ntwo_scope = z\n';
    assert.deepEqual(warningsAbout(text), ['main.cf: unused parameter: two_scope=z']);
  });
});

describe('names that Postfix has or will have dropped', () => {
  it('are told of with their successor while they are read, and are unused after that', () => {
    const text =
      'fallback_relay = x\nsmtp_cname_overrides_servername = no\nsmtp_tls_cipherlist = y\ntls_low_cipherlist = z\n';
    const removal = (name: string): string => `support for parameter "${name}" will be removed; instead, `;
    assert.deepEqual(warningsAbout(text), [
      `main.cf: ${removal('fallback_relay')}specify "smtp_fallback_relay"`,
      `main.cf: ${removal('smtp_cname_overrides_servername')}do not specify`,
      'main.cf: unused parameter: smtp_tls_cipherlist=y',
    ]);
    assert.deepEqual(warningsAbout('', 'a unix - - n - - smtpd -o smtpd_use_tls=yes\n'), [
      `master.cf: ${removal('smtpd_use_tls')}specify "smtpd_tls_security_level"`,
    ]);
  });
});

describe('names in master.cf', () => {
  it('are known when another setting of the service uses them, and only there', () => {
    const entries = 'a unix - - n - - smtp -o x=1 -o relayhost=$x\nb unix - - n - - smtp -o x=2 -o relayhost=$y\n';
    assert.deepEqual(warningsAbout('', entries), [
      'master.cf: undefined parameter: y',
      'master.cf: unused parameter: x=2',
    ]);
  });

  it('are not looked for behind the options', () => {
    assert.deepEqual(warningsAbout('', 'a unix - n n - - pipe user=nobody argv=${recipient} -o x=$z\n'), []);
  });
});
