/** The queue manager. qmgr(8) */
export { InFlow } from './in-flow.ts';
export type { QueueManagerOptions } from './options.ts';
export { createQueueManager, QueueManager, type QueueManagerStatus } from './queue-manager.ts';
export { routeRecipient, type Route, type RoutingOptions } from './routing.ts';
export { compileSettings as compileQmgrSettings } from './settings.ts';
export type { DestinationStatus } from './scheduler.ts';
export type { Bouncer } from './reports.ts';
export type { NotifiedParts, NotifiedRecipient } from './report-details.ts';
