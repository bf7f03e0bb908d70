import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatIp, type IpNetwork, ipInNetwork, networkAddress } from '#address';
import { NetworkIndex } from '../../../src/tables/network-index.ts';

/** Few values for each byte, so that networks lie within each other. */
function networks(family: IpNetwork['family']): fc.Arbitrary<IpNetwork> {
  const length = family === 'ipv4' ? 4 : 16;
  return fc
    .tuple(
      fc.array(fc.constantFrom(0, 1, 128, 255), { minLength: length, maxLength: length }),
      fc.integer({ min: 0, max: length * 8 }),
    )
    .map(([bytes, prefixLength]) => {
      const network = { family, bytes: Uint8Array.from(bytes), prefixLength };
      return { ...networkAddress(network), prefixLength };
    });
}

describe('an index of networks', () => {
  it('finds what asking one after the other finds', () => {
    const any = fc.oneof(networks('ipv4'), networks('ipv6'));
    fc.assert(
      fc.property(fc.array(any, { maxLength: 30 }), fc.array(any, { maxLength: 20 }), (list, addresses) => {
        const index = new NetworkIndex(list);
        for (const { family, bytes } of addresses) {
          const address = { family, bytes };
          const found = list.findIndex((network) => ipInNetwork(address, network));
          assert.equal(index.firstAround(address) ?? -1, found, formatIp(address));
        }
      }),
    );
  });
});
