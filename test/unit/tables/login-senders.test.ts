import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { type SenderRight, senderRight, TableOpener } from '#tables';

describe('the senders that a login name may use', () => {
  let directory = '';
  const nobody = 65_534;
  const ask = (value: string, sender: string, uid = nobody): Promise<SenderRight> => {
    const lines = ['compatibility_level = 3.6', 'recipient_delimiter = +', `local_login_sender_maps = ${value}`, ''];
    writeFileSync(join(directory, 'main.cf'), lines.join('\n'));
    const { settings } = openSettings(directory);
    const tables = new TableOpener({ settings, configDirectory: directory, warn: () => undefined });
    return senderRight(uid, sender, settings, tables);
  };
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'senders-'));
  });
  after(() => rmSync(directory, { recursive: true }));
  const maps = 'inline:{ { nobody = nobody nobody@example.com, @sub.example <> }, { uid:3999999 = x@y.example } }';

  it('are names, addresses and domains, in any case and without extension', async () => {
    for (const sender of ['nobody', 'Nobody+x@EXAMPLE.com', 'any one@Sub.example', ''])
      assert.equal((await ask(maps, sender)).kind, 'allowed', sender);
  });

  it('are no others, not even those of a subdomain', async () => {
    for (const sender of ['root', 'root@example.com', 'a@x.sub.example'])
      assert.deepEqual(await ask(maps, sender), {
        kind: 'refused',
        reason: `not authorized to use sender='${sender}'`,
      });
  });

  it('are found by number for a user without name', async () => {
    assert.equal((await ask(maps, 'x@y.example', 3_999_999)).kind, 'allowed');
    assert.equal((await ask(maps, 'x@y.example', 3_999_998)).kind, 'refused');
  });

  it('are all for *, none where nothing is listed, and unknown where a table fails', async () => {
    assert.equal((await ask('static:*', 'a@b.example')).kind, 'allowed');
    assert.equal((await ask('', 'nobody')).kind, 'refused');
    assert.deepEqual(await ask('fail:x', 'nobody'), {
      kind: 'failed',
      reason: "local_login_sender_maps table lookup error for 'fail:x'",
    });
  });
});
