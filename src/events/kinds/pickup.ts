/** Events of pickup. */
import type { Renderings } from '../event.ts';

export type PickupEvent =
  /** A message from maildrop was given a queue ID. `sender` as submitted, external form. */
  {
    readonly kind: 'pickedUp';
    readonly queueId: string;
    readonly uid: number;
    readonly sender: string;
    /** The ID it had before `postsuper -r`. */
    readonly originalQueueId?: string;
  };

export const pickupRenderings: Renderings<PickupEvent> = {
  pickedUp: (event) =>
    `${event.queueId}: uid=${event.uid} from=<${event.sender}>${event.originalQueueId === undefined ? '' : ` orig_id=${event.originalQueueId}`}`,
};
