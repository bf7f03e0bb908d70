/** Events of pickup. */
import type { Renderings } from '../event.ts';

export type PickupEvent =
  /** A message from maildrop was given a queue ID. `sender` as submitted. */
  {
    readonly kind: 'pickedUp';
    readonly queueId: string;
    readonly uid: number;
    readonly sender: string;
    /** The ID it had before `postsuper -r`. */
    readonly originalQueueId?: string;
  };

export const pickupRenderings: Renderings<PickupEvent> = {
  pickedUp: (event, shown) =>
    `${event.queueId}: uid=${event.uid} from=<${shown(event.sender)}>${event.originalQueueId === undefined ? '' : ` orig_id=${event.originalQueueId}`}`,
};
