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
    connect: settings.timerMs(own('connect_timeout')),
    helo: settings.timerMs(protocol === 'smtp' ? 'smtp_helo_timeout' : 'lmtp_lhlo_timeout'),
    startTls: settings.timerMs(own('starttls_timeout')),
    xforward: settings.timerMs(own('xforward_timeout')),
    mail: settings.timerMs(own('mail_timeout')),
    rcpt: settings.timerMs(own('rcpt_timeout')),
    dataInit: settings.timerMs(own('data_init_timeout')),
    dataBlock: settings.timerMs(own('data_xfer_timeout')),
    dataDone: settings.timerMs(own('data_done_timeout')),
    rset: settings.timerMs(own('rset_timeout')),
    quit: settings.timerMs(own('quit_timeout')),
  };
}
