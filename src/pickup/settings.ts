/** Settings of pickup, compiled once. pickup(8) */
import type { Settings } from '#config';
import type { SubmissionOptions } from '#message';

export interface PickupSettings {
  readonly myhostname: string;
  readonly mailName: string;
  readonly contentFilter: string;
  readonly overrides: SubmissionOptions['overrides'];
}

const OVERRIDES = [
  'no_unknown_recipient_checks',
  'no_address_mappings',
  'no_header_body_checks',
  'no_milters',
] as const;

export function readPickupSettings(settings: Settings): PickupSettings {
  const words = settings.list('receive_override_options');
  return {
    myhostname: settings.string('myhostname'),
    mailName: settings.string('mail_name'),
    contentFilter: settings.string('content_filter'),
    overrides: OVERRIDES.filter((word) => words.includes(word)),
  };
}
