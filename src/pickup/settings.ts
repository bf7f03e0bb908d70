/** Settings of pickup, compiled once. pickup(8) */
import type { Settings } from '#config';
import { type ReceiveOverride, receiveOverrides } from '#message';

export interface PickupSettings {
  readonly myhostname: string;
  readonly mailName: string;
  readonly contentFilter: string;
  readonly overrides: readonly ReceiveOverride[];
}

export function readPickupSettings(settings: Settings): PickupSettings {
  const words = settings.list('receive_override_options');
  return {
    myhostname: settings.string('myhostname'),
    mailName: settings.string('mail_name'),
    contentFilter: settings.string('content_filter'),
    overrides: receiveOverrides.filter((word) => words.includes(word)),
  };
}
