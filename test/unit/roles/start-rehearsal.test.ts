import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { startRefusals } from '#roles';

describe('a start that would be refused', () => {
  let directory = '';
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'posthorn-test-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  async function refusals(main: string, master: string): Promise<readonly string[]> {
    const base = `maillog_file = ${directory}/log\nmaillog_file_prefixes = ${directory}\nalias_maps =\ninet_interfaces = 127.0.0.1\n`;
    writeFileSync(join(directory, 'main.cf'), base + main);
    writeFileSync(
      join(directory, 'master.cf'),
      `cleanup unix n - n - 0 cleanup\nlocal unix - n n - - local\n${master}`,
    );
    return startRefusals(loadConfiguration(directory));
  }

  it('is told of for the log, ports and delivery agents alike, without starting', async () => {
    assert.deepEqual(await refusals('', '0 inet n - n - - smtpd\n'), []);
    const cases: readonly (readonly [main: string, master: string, told: RegExp])[] = [
      ['maillog_file_prefixes = /nowhere\n', '', /maillog_file = .*: it must begin with/],
      ['', 'nosuchport inet n - n - - smtpd\n', /service nosuchport\/inet: unknown port/],
      [
        'inet_interfaces = 127.0.0.300\n',
        '0 inet n - n - - smtpd\n',
        /inet_interfaces: "127.0.0.300" is not an address/,
      ],
      ['', 'p unix - n n - - pipe argv=/bin/true\n', /service p\/pipe: missing user= attribute/],
      ['default_privs = daemon\nmail_owner = daemon\n', '', /default_privs: "daemon": mail_owner is the same user/],
      ['cleanup_service_name = other\n', '', /master.cf has no such cleanup service/],
    ];
    for (const [main, master, told] of cases) {
      const [first = '', ...more] = await refusals(main, master);
      assert.match(first, told);
      assert.deepEqual(more, []);
    }
  });
});
