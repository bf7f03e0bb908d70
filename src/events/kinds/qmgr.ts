/** Events of the queue manager. qmgr(8), inventory j.5 */
import type { Renderings } from '../event.ts';

export type QmgrEvent =
  | {
      readonly kind: 'active';
      readonly queueId: string;
      readonly sender: string;
      readonly sizeBytes: number;
      readonly recipientCount: number;
    }
  | { readonly kind: 'removed'; readonly queueId: string }
  | { readonly kind: 'expired'; readonly queueId: string; readonly sender: string; readonly isForced: boolean };

export const qmgrRenderings: Renderings<QmgrEvent> = {
  active: (event, shown) =>
    `${event.queueId}: from=<${shown(event.sender)}>, size=${event.sizeBytes}, nrcpt=${event.recipientCount} (queue active)`,
  removed: (event) => `${event.queueId}: removed`,
  expired: (event, shown) =>
    `${event.queueId}: from=<${shown(event.sender)}>, status=${event.isForced ? 'force-expired' : 'expired'}, returned to sender`,
};
