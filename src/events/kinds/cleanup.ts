/** Events of cleanup. cleanup(8) */
import type { Renderings, ShownAddress } from '../event.ts';

export type CleanupEvent =
  | { readonly kind: 'messageId'; readonly queueId: string; readonly messageId: string; readonly isResent: boolean }
  | { readonly kind: 'canceled'; readonly queueId: string; readonly how: 'canceled' | 'discarded' }
  | {
      readonly kind: 'contentCheck';
      readonly queueId: string;
      readonly word: string;
      /** `header` or `body`, and the line that was found. */
      readonly part: string;
      readonly line: string;
      /** `name[address]` or `local`. */
      readonly origin: string;
      readonly sender: string;
      readonly recipient: string;
      readonly protocol: string;
      readonly helo: string;
      readonly text: string;
    }
  /** A strict_* check refuses the message; `line` shows what is wrong. */
  | {
      readonly kind: 'mimeError';
      readonly queueId: string;
      readonly problem: string;
      readonly line: string;
      readonly origin: string;
      readonly sender: string;
      readonly recipient: string;
    };

const maxShown = 200;
const maxShownOfError = 100;

const parties = (
  { sender, recipient }: { readonly sender: string; readonly recipient: string },
  shown: ShownAddress,
): string => ` from=<${shown(sender)}>${recipient === '' ? '' : ` to=<${shown(recipient)}>`}`;

export const cleanupRenderings: Renderings<CleanupEvent> = {
  messageId: (event) => `${event.queueId}: ${event.isResent ? 'resent-' : ''}message-id=${event.messageId}`,
  canceled: (event) => `${event.queueId}: removed (${event.how})`,
  contentCheck: (event, shown) =>
    `${event.queueId}: ${event.word}: ${event.part} ${event.line.slice(0, maxShown)} from ${event.origin};` +
    parties(event, shown) +
    (event.protocol === '' ? '' : ` proto=${event.protocol}`) +
    (event.helo === '' ? '' : ` helo=<${event.helo}>`) +
    (event.text === '' ? '' : `: ${event.text}`),
  mimeError: (event, shown) =>
    `${event.queueId}: reject: mime-error ${event.problem}: ${event.line.slice(0, maxShownOfError)} from ${event.origin};` +
    parties(event, shown),
};
