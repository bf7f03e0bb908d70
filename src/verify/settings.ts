/** Settings of address verification as plain fields. verify(8) */
import type { Settings } from '#config';
import { type CacheSettings, readCacheSettings } from '#tables';

export interface VerifySettings {
  readonly cache: CacheSettings;
  readonly cacheNegative: boolean;
  readonly positiveExpireMs: number;
  readonly positiveRefreshMs: number;
  readonly negativeExpireMs: number;
  readonly negativeRefreshMs: number;
  /** 0: never. */
  readonly cleanupIntervalMs: number;
  readonly myhostname: string;
  readonly mailName: string;
}

export function readVerifySettings(settings: Settings): VerifySettings {
  return {
    cache: readCacheSettings(settings, settings.string('address_verify_map') || 'internal:verify'),
    cacheNegative: settings.bool('address_verify_negative_cache'),
    positiveExpireMs: settings.ms('address_verify_positive_expire_time'),
    positiveRefreshMs: settings.ms('address_verify_positive_refresh_time'),
    negativeExpireMs: settings.ms('address_verify_negative_expire_time'),
    negativeRefreshMs: settings.ms('address_verify_negative_refresh_time'),
    cleanupIntervalMs: settings.ms('address_verify_cache_cleanup_interval'),
    myhostname: settings.string('myhostname'),
    mailName: settings.string('mail_name'),
  };
}
