/** Settings of bounce, compiled once. bounce(8) */
import type { Settings } from '#config';
import { readTemplates, type Templates } from './templates.ts';

export interface BounceSettings {
  readonly myhostname: string;
  readonly mailName: string;
  /** mail_name as part of field names and of diagnostic types. */
  readonly fieldName: string;
  /** `double-bounce@$myhostname`. */
  readonly doubleBounceSender: string;
  /** Who stands for the null sender in reports. */
  readonly mailerDaemon: string;
  readonly sizeLimit: number;
  readonly maximalLifetimeMs: number;
  readonly copiesBounces: boolean;
  readonly copiesDoubleBounces: boolean;
  readonly copiesDelays: boolean;
  readonly bounceRecipient: string;
  readonly doubleBounceRecipient: string;
  readonly delayRecipient: string;
  readonly threadsNotices: boolean;
  /** smtputf8_enable */
  readonly allowsUtf8: boolean;
  /** Of mail that asked for REQUIRETLS only the header section is returned, and the notice itself does without. */
  readonly redactsRequireTls: boolean;
  /** REQUIRETLS counts. requiretls_enable */
  readonly heedsRequireTls: boolean;
  /** tls_required_enable */
  readonly copiesTlsRequired: boolean;
  /** One notice for all recipients, also with VERP. */
  readonly ignoresVerp: boolean;
  readonly templates: Templates;
}

export function readBounceSettings(settings: Settings, warn: (text: string) => void): BounceSettings {
  const classes = settings.list('notify_classes').map((word) => word.toLowerCase());
  return {
    myhostname: settings.string('myhostname'),
    mailName: settings.string('mail_name'),
    fieldName: settings.string('mail_name').replaceAll(/[\s()<>@,;:\\".[\]]/g, '-'),
    doubleBounceSender: `${settings.string('double_bounce_sender')}@${settings.string('myhostname')}`,
    mailerDaemon: `MAILER-DAEMON@${settings.string('myhostname')}`,
    sizeLimit: settings.int('bounce_size_limit'),
    maximalLifetimeMs: settings.ms('maximal_queue_lifetime'),
    copiesBounces: classes.includes('bounce'),
    copiesDoubleBounces: classes.includes('2bounce') || classes.includes('bounce'),
    copiesDelays: classes.includes('delay'),
    bounceRecipient: settings.string('bounce_notice_recipient'),
    doubleBounceRecipient: settings.string('2bounce_notice_recipient'),
    delayRecipient: settings.string('delay_notice_recipient'),
    allowsUtf8: settings.bool('smtputf8_enable'),
    threadsNotices: settings.bool('enable_threaded_bounces'),
    redactsRequireTls: settings.bool('requiretls_redact_dsn'),
    heedsRequireTls: settings.bool('requiretls_enable'),
    copiesTlsRequired: settings.bool('tls_required_enable'),
    ignoresVerp: settings.bool('disable_verp_bounces'),
    templates: readTemplates(settings, warn),
  };
}
