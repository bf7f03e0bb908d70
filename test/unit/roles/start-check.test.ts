import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { unusableServices } from '../../../src/roles/start-check.ts';

describe('services that cannot work', () => {
  it('are told of where a mailbox has no room for the largest message, or a command has too many rights', () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-unusable-'));
    try {
      writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\nmessage_size_limit = 0\n');
      writeFileSync(
        join(directory, 'master.cf'),
        'local unix - n n - - local\nvirtual unix - n n - - virtual -o virtual_mailbox_limit=0\n' +
          'filter unix - n n - - pipe user=nobody:root argv=/bin/cat\n',
      );
      assert.deepEqual(
        unusableServices(loadConfiguration(directory)).map((text) => text.replaceAll(`${directory}/`, '')),
        [
          'master.cf, line 1: service local/unix: mailbox_size_limit is limited but message_size_limit is unlimited; as it stands, all its mail is deferred',
          'master.cf, line 3: service filter/unix: user= command-line attribute specifies privileged group id 0; as it stands, all its mail is deferred',
        ],
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
