import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants } from 'node:crypto';
import { gapOptions, versionRange } from '../../../src/tls/protocols.ts';

describe('versions of TLS', () => {
  it('are bounded from below and above, named, or excluded', () => {
    const all = { minVersion: 'TLSv1', maxVersion: 'TLSv1.3' };
    assert.deepEqual(versionRange([]), all);
    assert.deepEqual(versionRange(['>=TLSv1']), all);
    assert.deepEqual(versionRange(['!SSLv2', '!SSLv3']), all);
    assert.deepEqual(versionRange(['!SSLv2', '!SSLv3', '!TLSv1', '!TLSv1.1']), {
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
    });
    assert.deepEqual(versionRange(['>=TLSv1.2', '<=TLSv1.2']), { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    assert.deepEqual(versionRange(['TLSv1.3']), { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' });
  });

  it('are parted by colons, too, and bounded by numbers', () => {
    assert.deepEqual(versionRange(['TLSv1.2:TLSv1.3']), { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' });
    for (const text of ['303', '0303', '0x303', '0x0303']) {
      assert.deepEqual(versionRange([`>=${text}`, '<=0304']), { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' });
    }
    assert.match(JSON.stringify(versionRange(['!0303'])), /^"unknown protocol /);
  });

  it('may all be left out, which ends each handshake', () => {
    for (const words of [['SSLv3'], ['>=TLSv1.3', '!TLSv1.3']]) {
      assert.deepEqual(versionRange(words), { minVersion: 'TLSv1', maxVersion: 'TLSv1.3' });
      assert.equal(gapOptions(words), gapOptions(['!TLSv1', '!TLSv1.1', '!TLSv1.2', '!TLSv1.3']));
    }
  });

  it('may leave one out in between', () => {
    const { SSL_OP_NO_TLSv1, SSL_OP_NO_TLSv1_1 } = constants;
    assert.equal(gapOptions(['!TLSv1.1']), SSL_OP_NO_TLSv1_1);
    assert.equal(gapOptions(['>=TLSv1.2']), SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
    assert.equal(gapOptions([]), 0);
  });

  it('are complained of when unknown', () => {
    assert.match(JSON.stringify(versionRange(['>=TLSv9'])), /^"unknown protocol /);
  });
});
