import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSettings } from '#config';
import { ordered } from '../../../../src/delivery/smtp/address-order.ts';
import { compileSettings } from '../../../../src/delivery/smtp/settings.ts';
import { service } from './sink.ts';

/** In which order the addresses are tried. */
function order(lines: readonly string[], addresses: readonly (readonly [preference: number, address: string])[]) {
  const directory = mkdtempSync(join(tmpdir(), 'order-'));
  try {
    writeFileSync(join(directory, 'main.cf'), ['smtp_randomize_addresses = no', ...lines, ''].join('\n'));
    const settings = compileSettings(openSettings(directory).settings, service([]), 'smtp');
    const servers = addresses.map(([preference, address]) => ({ host: 'mx.example', address, preference }));
    return ordered({ settings, random: () => 0 }, servers)
      .map(({ address }) => address)
      .slice(0, settings.mxAddressLimit)
      .join(' ');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('the order of addresses', () => {
  const both = [
    [1, '192.0.2.1'],
    [1, '192.0.2.2'],
    [1, '192.0.2.3'],
    [1, '2001:db8::1'],
    [1, '2001:db8::2'],
    [1, '2001:db8::3'],
  ] as const;
  const limited = 'smtp_mx_address_limit = 4';

  it('leaves room for both families, whichever is preferred', () => {
    const four = '192.0.2.1 192.0.2.2';
    const six = '2001:db8::1 2001:db8::2';
    assert.equal(order([limited, 'smtp_address_preference = ipv6'], both), `${six} ${four}`);
    assert.equal(order([limited, 'smtp_address_preference = ipv4'], both), `${four} ${six}`);
    assert.equal(order([limited, 'smtp_address_preference = any'], both), `${four} ${six}`);
  });

  it('leaves none where main.cf says so, and goes by preference first', () => {
    const lines = [limited, 'smtp_balance_inet_protocols = no', 'smtp_address_preference = ipv6'];
    assert.equal(order(lines, both), '2001:db8::1 2001:db8::2 2001:db8::3 192.0.2.1');
    assert.equal(
      order(lines, [
        [1, '192.0.2.1'],
        [2, '2001:db8::1'],
      ]),
      '192.0.2.1 2001:db8::1',
    );
  });
});
