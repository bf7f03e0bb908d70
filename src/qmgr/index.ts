/** The queue manager. qmgr(8) */
export { createQueueManager, QueueManager, type QueueManagerOptions } from './queue-manager.ts';
export type { Bouncer, NotifiedRecipient } from './settle.ts';
