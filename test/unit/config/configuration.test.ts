import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Configuration, loadConfiguration, openSettings } from '#config';
import { bytesOf } from '#message';

describe('a configuration', () => {
  const directory = mkdtempSync(join(tmpdir(), 'configuration-'));
  after(() => rmSync(directory, { recursive: true }));

  function load(mainCf: string, masterCf: string): Configuration {
    writeFileSync(join(directory, 'main.cf'), mainCf);
    writeFileSync(join(directory, 'master.cf'), masterCf);
    return loadConfiguration(directory);
  }

  it('leaves out services by the first pattern of master_service_disable that matches', () => {
    const master = ['2896', '127.0.0.1:2897']
      .map((name) => `${name} inet n - n - - smtpd\n`)
      .concat('relay unix - - n - - smtp\n')
      .join('');
    const left = (patterns: string): readonly string[] =>
      load(`master_service_disable = ${patterns}\n`, master).services.map(({ name }) => name);
    assert.deepEqual(left('!2896/inet, INET'), ['2896', 'relay']);
    assert.deepEqual(left('127.0.0.1:2897.inet'), ['2896', 'relay']);
    assert.deepEqual(left('2896.inet Relay/unix'), ['127.0.0.1:2897']);
    assert.deepEqual(left('inet, !2896/inet'), ['relay']);
  });

  it('warns of an entry of master.cf that stands behind white space', () => {
    const { warnings, services } = load('', '  2899 inet n - n - - smtpd\nrelay unix - - n - - smtp\n');
    assert.deepEqual(warnings, [
      `${directory}/master.cf: logical line must not start with whitespace: "  2899 inet n - n - - smtpd"`,
    ]);
    assert.equal(services.length, 1);
  });

  it('takes a value that leads to itself for nothing there', () => {
    writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.$mydomain\n');
    const { settings } = openSettings(directory);
    assert.equal(settings.string('myhostname'), 'mail.');
    assert.throws(() => load('myhostname = mail.$mydomain\n', ''), /myhostname: "mail\.": misplaced delimiter/);
  });

  it('keeps the bytes of other character sets', () => {
    writeFileSync(join(directory, 'main.cf'), 'smtpd_banner = caf\xe9\n', 'latin1');
    const { settings } = openSettings(directory);
    assert.equal(bytesOf(settings.string('smtpd_banner')).toString('latin1'), 'caf\xe9');
  });

  it('knows the line of each element', () => {
    writeFileSync(join(directory, 'main.cf'), 'mynetworks = 10.0.0.0/8,\n  # all\n  192.0.2.0/24 192.0.2.1\n\n  ::1\n');
    const { settings } = openSettings(directory);
    assert.deepEqual(
      settings.elements('mynetworks').map(({ text, origin }) => `${text} ${origin?.line}`),
      ['10.0.0.0/8 1', '192.0.2.0/24 3', '192.0.2.1 3', '::1 5'],
    );
    assert.equal(settings.elements('mynetworks'), settings.elements('mynetworks'));
  });
});
