/** Defaults of an old compatibility_level: where one decides about mail, the log says so. COMPATIBILITY_README */
import { compareLevels, type Settings } from '#config';

export interface OldDefaults {
  /** smtpd_relay_restrictions = (empty) */
  readonly relaysByRecipientList: boolean;
  /** smtpd_relay_before_recipient_restrictions = no */
  readonly asksRecipientFirst: boolean;
  /** mynetworks_style = subnet */
  readonly trustsSubnet: boolean;
  /** relay_domains = $mydestination */
  readonly relaysOwnDomains: boolean;
}

export function oldDefaults(settings: Settings): OldDefaults {
  const isOld = (level: string, ...names: readonly string[]): boolean =>
    (compareLevels(settings.string('compatibility_level'), level) ?? 0) < 0 &&
    names.every((name) => !settings.isSet(name));
  return {
    relaysByRecipientList: isOld('1', 'smtpd_relay_restrictions'),
    asksRecipientFirst: isOld('3.6', 'smtpd_relay_before_recipient_restrictions'),
    trustsSubnet: isOld('2', 'mynetworks', 'mynetworks_style'),
    relaysOwnDomains: isOld('2', 'relay_domains'),
  };
}

/** What the log says of a default that made a difference. */
export const oldDefaultNote = (setting: string, effect: string): string =>
  `using backwards-compatible default setting ${setting} to ${effect}`;
