/** Events of cleanup. */
import type { Renderings } from '../event.ts';

export type CleanupEvent = { readonly kind: 'cleanupPlaceholder' };

export const cleanupRenderings: Renderings<CleanupEvent> = { cleanupPlaceholder: () => '' };
