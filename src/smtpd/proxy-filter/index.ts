/** Before-queue filtering: mail goes to a filter instead of the queue, and the client gets the filter's replies. */
import { type FilteredMail, FilterConversation, type FilterIntroduction } from './conversation.ts';
import { DelayedMail } from './replay.ts';
import type { FilterSettings } from './settings.ts';
import { Spool } from './spool.ts';

export { failureReply, type FilteredMail, loggedReply } from './conversation.ts';
export { compileFilter, type FilterSettings } from './settings.ts';
export type { ForwardedAttributes } from './xforward.ts';

export function createFilteredMail(
  settings: FilterSettings,
  introduction: FilterIntroduction,
  warn: (text: string) => void,
): FilteredMail {
  const conversation = new FilterConversation(settings, introduction, warn);
  if (!settings.isDelayed) return conversation;
  return new DelayedMail(conversation, new Spool(settings.spoolDirectory), warn);
}
