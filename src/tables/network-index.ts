/** Many networks at once: which of them, in the order they were given, is the first that an address lies in. */
import { type IpAddress, type IpNetwork, networkAddress } from '#address';

/** The networks of one family and prefix length: base address to place in the order. */
interface Length {
  readonly prefixLength: number;
  readonly places: Map<string | number, number>;
}

/** IPv4 as a number, IPv6 as text of 16 characters. */
function keyOf({ bytes }: IpAddress): string | number {
  if (bytes.length === 4) return ipv4Number(bytes);
  return String.fromCharCode(...bytes);
}

function ipv4Number(bytes: Uint8Array): number {
  return (((bytes[0] ?? 0) << 24) | ((bytes[1] ?? 0) << 16) | ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0)) >>> 0;
}

/** The part of an IPv4 address that a prefix leaves. */
function maskedNumber(address: number, prefixLength: number): number {
  return prefixLength === 0 ? 0 : (address & (0xffff_ffff << (32 - prefixLength))) >>> 0;
}

export class NetworkIndex {
  readonly #lengths: { readonly ipv4: readonly Length[]; readonly ipv6: readonly Length[] };

  constructor(networks: readonly IpNetwork[]) {
    const found = { ipv4: new Map<number, Length>(), ipv6: new Map<number, Length>() };
    for (const [place, network] of networks.entries()) {
      const { family, prefixLength } = network;
      const length = found[family].get(prefixLength) ?? { prefixLength, places: new Map<string | number, number>() };
      found[family].set(prefixLength, length);
      const key = keyOf(networkAddress(network));
      // of two that are the same the first one answers
      if (!length.places.has(key)) length.places.set(key, place);
    }
    this.#lengths = { ipv4: [...found.ipv4.values()], ipv6: [...found.ipv6.values()] };
  }

  /** The place of the first network; undefined when the address lies in none. */
  firstAround(address: IpAddress): number | undefined {
    return address.family === 'ipv4'
      ? this.#firstAroundIpv4(ipv4Number(address.bytes))
      : this.#firstAroundIpv6(address);
  }

  #firstAroundIpv4(address: number): number | undefined {
    let first: number | undefined;
    for (const { prefixLength, places } of this.#lengths.ipv4) {
      const place = places.get(maskedNumber(address, prefixLength));
      if (place !== undefined && (first === undefined || place < first)) first = place;
    }
    return first;
  }

  #firstAroundIpv6(address: IpAddress): number | undefined {
    let first: number | undefined;
    for (const { prefixLength, places } of this.#lengths.ipv6) {
      const place = places.get(keyOf(networkAddress({ ...address, prefixLength })));
      if (place !== undefined && (first === undefined || place < first)) first = place;
    }
    return first;
  }
}
