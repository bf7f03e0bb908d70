/** Local submission: from the maildrop directory into the queue. pickup(8) */
export { createRequeuer, type Requeuer, type RequeuerOptions } from './requeue.ts';
export { createPickup, type Pickup, type PickupOptions } from './pickup.ts';
export { openMaildropFile } from './maildrop-file.ts';
