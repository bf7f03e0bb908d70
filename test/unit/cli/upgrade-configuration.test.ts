import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { upgradeMasterText } from '../../../src/cli/upgrade-configuration.ts';

describe('postfix upgrade-configuration', () => {
  it('adds the services that master.cf lacks, some as a comment', () => {
    const { text, done } = upgradeMasterText('smtp inet n - n - - smtpd\nrelay unix - - n - - smtp');
    assert.ok(text.startsWith('smtp inet n - n - - smtpd\nrelay unix - - n - - smtp\nflush     unix  n '), text);
    assert.match(text, /^tlsmgr {4}unix {2}- {7}- {7}n {7}1000\? {3}1 {7}tlsmgr$/m);
    assert.match(text, /^#smtp {5}inet .* postscreen$/m);
    assert.match(text, /^postlog {3}unix-dgram n /m);
    assert.equal(done[0], 'adding missing entry for flush service');
    assert.equal(done.at(-1), 'adding missing entry for postlog unix-domain datagram service');
    assert.deepEqual(upgradeMasterText(text), { text, done: [] });
  });

  it('corrects entries that once were right', () => {
    const old = [
      'verify unix - - n - 0 verify',
      'pickup fifo n n n 60 1 pickup',
      'cleanup unix - - n - 0 cleanup',
      'flush unix y - n - 0 flush',
      'tlsmgr fifo - - n 300 1 tlsmgr',
      'proxywrite unix - - n - - proxymap',
    ];
    assert.deepEqual(
      upgradeMasterText(`${old.join('\n')}\n`)
        .text.split('\n')
        .slice(0, 6),
      [
        'verify unix - - n - 1 verify',
        'pickup fifo n - n 60 1 pickup',
        'cleanup unix n - n - 0 cleanup',
        'flush unix n - n - 0 flush',
        'tlsmgr unix - - n 300? 1 tlsmgr',
        'proxywrite unix - - n - 1 proxymap',
      ],
    );
  });

  it('leaves a file alone that is up to date', () => {
    const text = readFileSync(new URL('../../../conf/master.cf', import.meta.url), 'utf8');
    const upgraded = upgradeMasterText(text);
    assert.equal(upgradeMasterText(upgraded.text).text, upgraded.text);
  });
});
