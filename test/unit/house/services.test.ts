/** What starts the system at boot: `systemd/`, `openrc/`. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

describe('the services of init systems', () => {
  it('make the table of aliases before the start, as local mail waits without it', () => {
    for (const path of ['systemd/postfix.service', 'openrc/postfix']) {
      const text = readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
      assert.match(text, /newaliases"?\n[^]*post\w+"? start/, path);
    }
  });
});
