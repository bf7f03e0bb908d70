/** Delivery agents that need neither network nor mailboxes. The larger ones have doors of their own (`#delivery/smtp`). */
export { createDiscardAgent, type DiscardAgentOptions } from './discard.ts';
export { createErrorAgent, type ErrorAgentOptions } from './error.ts';
export { createLocalPool, createProcessPool, type DelivererPool } from './deliverer.ts';
export { inTurn } from './in-turn.ts';
export { lockMailbox } from './mailbox.ts';
export { type MailboxLimit, mailboxLimitProblem } from './mailbox-limit.ts';
export { parseRootLimits } from './root-limits.ts';
export { serveDeliverer } from './deliverer-server.ts';
export { openStatusFilter, StatusFilter } from './status-filter.ts';
