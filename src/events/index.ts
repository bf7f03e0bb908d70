/** What happened: typed events and their renderings. */
export type { EventChannel, EventRecord, MailEvent } from './event.ts';
export { HeldEvents } from './held-events.ts';
export { createFileSink, EventLog, formatLogTime, type LogSink } from './log-writer.ts';
export { formatDelay } from './kinds/delivery.ts';
export type { NoticeSent } from './kinds/bounce.ts';
export { panicOf } from './kinds/program.ts';
export type { PolicyWord } from './kinds/smtpd.ts';
export { type AddressForm, renderPostfixText } from './render.ts';
