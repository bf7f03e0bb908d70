/** Events of qmgr. */
import type { Renderings } from '../event.ts';

export type QmgrEvent = { readonly kind: 'qmgrPlaceholder' };

export const qmgrRenderings: Renderings<QmgrEvent> = { qmgrPlaceholder: () => '' };
