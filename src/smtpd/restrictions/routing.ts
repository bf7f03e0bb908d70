/** Where an address of the session leads: what most restrictions about addresses ask first. */
import type { MaybePromise } from '#message';
import type { AddressClass, Resolution, Rewriter } from '#rewrite';

/** Routes an address; `other` is the one on the other side of the envelope, on which routing may depend. */
export type Route = (address: string, other: string | undefined) => MaybePromise<Resolution>;

interface Known {
  readonly address: string;
  readonly other: string;
  readonly resolution: MaybePromise<Resolution>;
}

/** Routes each address once: the restrictions of a stage ask about the same two again and again, faster than the rewriter remembers. */
export function rememberRoutes(rewriter: Pick<Rewriter, 'rewrite' | 'resolve'>): Route {
  const known: Known[] = [];
  return (address, other = '') => {
    for (const each of known) if (each.address === address && each.other === other) return each.resolution;
    const resolution = rewriter.resolve(other, rewriter.rewrite(address, 'local'));
    known.push({ address, other, resolution });
    return resolution;
  };
}

/** Classes of which mail is delivered here. ADDRESS_CLASS_README */
export function isFinal(addressClass: AddressClass): boolean {
  return addressClass === 'local' || addressClass === 'virtualAlias' || addressClass === 'virtualMailbox';
}
