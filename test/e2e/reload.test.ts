/** What `postfix reload` tells of a configuration that can't be put in force, and that mail goes on with the old one. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bin, freePort } from './support/quick-start.ts';
import { commonServices } from './support/services.ts';
import { commonSettings } from './support/settings.ts';

describe('postfix reload', () => {
  const base = mkdtempSync(join(tmpdir(), 'posthorn-reload-'));
  const env = { ...process.env, MAIL_CONFIG: base };
  let services = '';
  let port = 0;

  function postfix(word: string): { readonly status: number | null; readonly told: string } {
    const { status, stderr } = spawnSync(`${bin}/postfix`, [word], { env, encoding: 'utf8', timeout: 30_000 });
    return { status, told: stderr };
  }

  before(async () => {
    chmodSync(base, 0o755);
    port = await freePort();
    services = `127.0.0.1:${port} inet n - n - - smtpd\n${commonServices}`;
    writeFileSync(`${base}/master.cf`, services);
    writeFileSync(
      `${base}/main.cf`,
      `${commonSettings(base)}mydestination =
alias_maps =
alias_database =
`,
    );
    assert.equal(postfix('start').status, 0);
  });
  after(() => {
    postfix('stop');
    rmSync(base, { recursive: true, force: true });
  });

  it('says what it refuses, which the log has once, and leaves the system as it was', async () => {
    appendFileSync(`${base}/master.cf`, '127.0.0.999:25 inet n - n - - smtpd\n');
    const { status, told } = postfix('reload');
    const reason = 'reload refused, the old configuration stays: ';
    assert.equal(status, 1);
    assert.ok(told.startsWith(`postfix/postfix-script: fatal: ${reason}${base}/master.cf, line 12: `), told);
    assert.match(told, /"127\.0\.0\.999" is not an address/);
    assert.equal(readFileSync(`${base}/mail.log`, 'utf8').split(reason).length, 2);
    const client = connect(port, '127.0.0.1');
    const [greeting] = await once(client, 'data');
    client.destroy();
    assert.match(String(greeting), /^220 /);
  });

  it('refuses a log file that can not be used', () => {
    const main = readFileSync(`${base}/main.cf`, 'utf8');
    writeFileSync(`${base}/master.cf`, services);
    for (const [path, why] of [
      ['/nowhere/mail.log', 'it must begin with one of maillog_file_prefixes'],
      [`${base}/main.cf/mail.log`, 'Not a directory'],
    ]) {
      writeFileSync(`${base}/main.cf`, main.replace(/^maillog_file = .*$/m, `maillog_file = ${path}`));
      const { status, told } = postfix('reload');
      const expected = `reload refused, the old configuration stays: ${base}/main.cf, line 4: maillog_file = ${path}: ${why}`;
      assert.deepEqual([status, told.includes(expected)], [1, true], told);
      assert.ok(readFileSync(`${base}/mail.log`, 'utf8').includes(expected));
    }
    writeFileSync(`${base}/main.cf`, main);
  });

  it('says nothing once the configuration is right, and leaves nothing behind', () => {
    writeFileSync(`${base}/master.cf`, services);
    assert.deepEqual(postfix('reload'), { status: 0, told: '' });
    assert.deepEqual(readdirSync(`${base}/queue/pid`), ['master.pid']);
  });
});
