/** Events of master. */
import type { Renderings } from '../event.ts';

export type MasterEvent = { readonly kind: 'masterPlaceholder' };

export const masterRenderings: Renderings<MasterEvent> = { masterPlaceholder: () => '' };
