/** Local submission: from the maildrop directory into the queue. pickup(8) */
export { createPickup, type Pickup, type PickupOptions } from './pickup.ts';
