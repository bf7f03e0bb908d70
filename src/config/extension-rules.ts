/** How a local part is split into user and extension. postconf(5) recipient_delimiter, owner_request_special */
import type { ExtensionOptions } from '#address';
import type { Settings } from './settings.ts';

export interface ExtensionRules extends ExtensionOptions {
  readonly recipientDelimiter: string;
}

export function readExtensionRules(settings: Settings): ExtensionRules {
  return {
    recipientDelimiter: settings.string('recipient_delimiter'),
    ownerRequestSpecial: settings.bool('owner_request_special'),
    doubleBounceName: settings.string('double_bounce_sender'),
  };
}
