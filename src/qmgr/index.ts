/** The queue manager. qmgr(8) */
export {
  createQueueManager,
  QueueManager,
  type QueueManagerOptions,
  type QueueManagerStatus,
} from './queue-manager.ts';
export type { DestinationStatus, TransportStatus, WaitReason } from './scheduler.ts';
export type { Bouncer, NotifiedRecipient } from './settle.ts';
