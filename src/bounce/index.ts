/** Delivery status notifications. bounce(8) */
export { type Bouncer, type BouncerOptions, createBouncer, type NotifyResult } from './bouncer.ts';
export type { NoticeKind, NotifiedParts, NotifiedRecipient } from './report.ts';
export { verpSender } from './verp.ts';
export { noticeTemplates } from './templates.ts';
export { createSessionNotifier, type SessionNoticeOptions } from './session-notice.ts';
