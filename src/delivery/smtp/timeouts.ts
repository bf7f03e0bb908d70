/** How long the client waits for what. postconf(5) smtp_helo_timeout and the like */
import type { Settings } from '#config';

/** All in ms. */
export interface Timeouts {
  readonly connect: number;
  readonly helo: number;
  readonly startTls: number;
  readonly xforward: number;
  readonly mail: number;
  readonly rcpt: number;
  readonly dataInit: number;
  readonly dataBlock: number;
  readonly dataDone: number;
  readonly rset: number;
  readonly quit: number;
}

export function compileTimeouts(settings: Settings, protocol: 'smtp' | 'lmtp'): Timeouts {
  const own = (name: string): string => `${protocol}_${name}`;
  return {
    connect: settings.ms(own('connect_timeout')),
    helo: settings.ms(protocol === 'smtp' ? 'smtp_helo_timeout' : 'lmtp_lhlo_timeout'),
    startTls: settings.ms(own('starttls_timeout')),
    xforward: settings.ms(own('xforward_timeout')),
    mail: settings.ms(own('mail_timeout')),
    rcpt: settings.ms(own('rcpt_timeout')),
    dataInit: settings.ms(own('data_init_timeout')),
    dataBlock: settings.ms(own('data_xfer_timeout')),
    dataDone: settings.ms(own('data_done_timeout')),
    rset: settings.ms(own('rset_timeout')),
    quit: settings.ms(own('quit_timeout')),
  };
}
