/** Where an address of the session leads: what most restrictions about addresses ask first. */
import type { MaybePromise } from '#message';
import type { AddressClass, Resolution, Rewriter } from '#rewrite';

/** `other`: the address on the other side of the envelope, on which routing may depend. */
export function resolveAddress(
  rewriter: Pick<Rewriter, 'rewrite' | 'resolve'>,
  address: string,
  other: string | undefined,
): MaybePromise<Resolution> {
  return rewriter.resolve(other ?? '', rewriter.rewrite(address, 'local'));
}

/** Classes of which mail is delivered here. ADDRESS_CLASS_README */
export function isFinal(addressClass: AddressClass): boolean {
  return addressClass === 'local' || addressClass === 'virtualAlias' || addressClass === 'virtualMailbox';
}
