import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { createRewriter } from '#rewrite';
import { TableOpener } from '#tables';

// what Debian's Postfix 3.7 logged for `user@[…]`; '' where it took the address
const observed: readonly (readonly [string, string])[] = [
  ['1.2.3', 'valid_ipv4_hostaddr: invalid octet count: 1.2.3'],
  ['::1', 'valid_ipv4_hostaddr: invalid character 58(decimal): ::1'],
  ['', 'valid_ipv4_hostaddr: invalid octet count: '],
  ['1.2.3.4.5', 'valid_ipv4_hostaddr: invalid octet count: 1.2.3.4.5'],
  ['1.2.3.256', 'valid_ipv4_hostaddr: invalid octet value: 1.2.3.256'],
  ['1..2.3', 'valid_ipv4_hostaddr: misplaced dot: 1..2.3'],
  ['1.2.3.', 'valid_ipv4_hostaddr: misplaced dot: 1.2.3.'],
  ['0.1.2.3', 'valid_ipv4_hostaddr: bad initial octet value: 0.1.2.3'],
  ['01.2.3.04', ''],
  ['IPv6:::1', ''],
  ['IPv6:1:2:3:4:5:6:7', ''],
  ['IPv6:::1.2.3.4', ''],
  ['IPv6:', "valid_ipv6_hostaddr: too few `:' in IPv6 address: "],
  ['IPv6:x', 'valid_ipv6_hostaddr: invalid character 120(decimal) in IPv6 address: x'],
  ['IPv6:1::2::3', "valid_ipv6_hostaddr: too many `::' in IPv6 address: 1::2::3"],
  ['IPv6::1', 'valid_ipv6_hostaddr: bad null first field in IPv6 address: :1'],
  ['IPv6:12345::1', 'valid_ipv6_hostaddr: malformed IPv6 address: 12345::1'],
  ['IPv6:1:2:3:4:5:6:7:8:9', "valid_ipv6_hostaddr: too many `:' in IPv6 address: 1:2:3:4:5:6:7:8:9"],
  ['IPv6:1:2:3:4:5:6:7:', 'valid_ipv6_hostaddr: bad null last field in IPv6 address: 1:2:3:4:5:6:7:'],
  ['IPv6:::1.2.3', 'valid_ipv4_hostaddr: invalid octet count: 1.2.3'],
  ['ipv6:::g', 'valid_ipv6_hostaddr: invalid character 103(decimal) in IPv6 address: ::g'],
];

describe('an address in brackets', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'literal-'));
    writeFileSync(join(directory, 'main.cf'), 'compatibility_level = 3.6\nmyhostname = mail.example.com\n');
  });
  after(() => rmSync(directory, { recursive: true }));

  it('is refused and complained of as Postfix does', async () => {
    const { settings } = openSettings(directory);
    const log: string[] = [];
    const warn = (text: string): void => void log.push(text);
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    const rewriter = createRewriter({ settings, tables, warn, facts: { interfaces: [] } });
    for (const [literal, complaint] of observed) {
      const { kind } = await rewriter.resolve('', `user@[${literal}]`);
      assert.deepEqual([kind, ...log.splice(0)], complaint === '' ? ['resolved'] : ['invalid', complaint], literal);
    }
  });
});
