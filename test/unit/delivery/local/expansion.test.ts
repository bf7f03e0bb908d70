import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { byteFilter } from '#message';
import { expandLocal } from '../../../../src/delivery/local/expansion.ts';
import type { Mailee } from '../../../../src/delivery/local/job.ts';

const alice: Mailee = {
  address: 'Alice+Ext@example.com',
  local: 'alice+ext',
  user: 'alice',
  extension: 'ext',
  delimiter: '+',
  domain: 'example.com',
};
const account = { home: '/home/alice', shell: '/bin/sh', delimiters: '-+', filter: undefined };

describe('names in forward_path, luser_relay and command_execution_directory', () => {
  it('stand for the recipient and its account', () => {
    const text = '$user $home $shell $recipient ${extension} $(domain) $local $mailbox $recipient_delimiter';
    assert.deepEqual(expandLocal(text, alice, account), {
      text: 'alice /home/alice /bin/sh Alice+Ext@example.com ext example.com alice+ext alice+ext +',
      isWhole: true,
    });
  });

  it('are missing where the address has no extension', () => {
    const plain = { ...alice, extension: '', delimiter: '' };
    assert.equal(expandLocal('$home/.forward$recipient_delimiter$extension', plain, account)?.isWhole, false);
    assert.deepEqual(expandLocal('$home/.forward${extension?+$extension}', plain, account), {
      text: '/home/alice/.forward',
      isWhole: true,
    });
  });

  it('hold the first configured delimiter where the address has none', () => {
    const plain = { ...alice, extension: '', delimiter: '' };
    assert.deepEqual(expandLocal('$user$recipient_delimiter', plain, account), { text: 'alice-', isWhole: true });
    assert.equal(expandLocal('$recipient_delimiter', plain, { ...account, delimiters: '' })?.isWhole, false);
  });

  it('do not include facts about the client or the sender', () => {
    for (const name of ['client_address', 'sender', 'original_recipient', 'bogus']) {
      assert.deepEqual(expandLocal(`$${name}`, alice, account), { text: '', isWhole: false });
    }
  });

  it('have values that are no templates', () => {
    const odd = { ...alice, local: 'a${home}$$user' };
    assert.equal(expandLocal('$local', odd, account)?.text, 'a${home}$$user');
  });

  it('keep only characters of the filter', () => {
    const odd = { ...alice, extension: 'x;y' };
    assert.equal(expandLocal('$extension', odd, { ...account, filter: byteFilter('xy') })?.text, 'x_y');
  });
});
