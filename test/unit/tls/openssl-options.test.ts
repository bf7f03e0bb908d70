import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSettings, type Settings } from '#config';
import { opensslOptions, unknownSwitches } from '#tls';

function settingsOf(mainCf: string): Settings {
  const directory = mkdtempSync(join(tmpdir(), 'openssl-options-'));
  try {
    writeFileSync(join(directory, 'main.cf'), `${mainCf}\n`);
    return openSettings(directory).settings;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const optionsOf = (mainCf: string): number => opensslOptions(settingsOf(mainCf));

const all = constants.SSL_OP_ALL >>> 0;

describe('switches of OpenSSL', () => {
  it('are all recommended workarounds, as a number without a sign', () => {
    assert.equal(optionsOf(''), all);
    assert.ok(all > 0);
  });

  it('lack the workarounds that are disabled by name, in any case, or by their bits', () => {
    const left = (all & ~constants.SSL_OP_CRYPTOPRO_TLSEXT_BUG) >>> 0;
    assert.equal(optionsOf('tls_disable_workarounds = cryptopro_tlsext_bug, CVE-2010-4180'), left);
    assert.equal(optionsOf('tls_disable_workarounds = 0x80000000'), left);
    assert.equal(optionsOf('tls_disable_workarounds = 0xFFFFFFFF'), 0);
    assert.equal(optionsOf('tls_disable_workarounds = 0xFFFFFFFFFFFFFFFF'), 0);
  });

  it('have the features that are named, but for what other settings say', () => {
    assert.equal(optionsOf('tls_ssl_options = no_ticket 0x40000000'), (all | 0x4000_4000) >>> 0);
    // versions of TLS, the preference of ciphers, and workarounds that are disabled
    assert.equal(optionsOf('tls_ssl_options = 0x14400800\ntls_disable_workarounds = 0xffffffff'), 0);
  });

  it('ignore words that name none, which are told of', () => {
    const settings = settingsOf(
      'tls_ssl_options = NO_TEA no_compression, 0x4\ntls_disable_workarounds = TLS_D5_BUG 800',
    );
    assert.equal(opensslOptions(settings), (all | 0x20004) >>> 0);
    assert.deepEqual(unknownSwitches(settings, 'tls_ssl_options'), [
      'unknown tls_ssl_options value "NO_TEA" in "NO_TEA no_compression, 0x4"',
    ]);
    assert.deepEqual(unknownSwitches(settings, 'tls_disable_workarounds'), [
      'unknown tls_disable_workarounds value "800" in "TLS_D5_BUG 800"',
    ]);
  });
});
