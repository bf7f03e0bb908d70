/** Events of bounce. */
import type { Renderings } from '../event.ts';

export type BounceEvent = { readonly kind: 'bouncePlaceholder' };

export const bounceRenderings: Renderings<BounceEvent> = { bouncePlaceholder: () => '' };
