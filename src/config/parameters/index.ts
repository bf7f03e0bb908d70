/** All parameters, by service. */
import type { ParameterRow } from '../registry.ts';
import { bounceParameters } from './bounce.ts';
import { cleanupParameters } from './cleanup.ts';
import { commandsParameters } from './commands.ts';
import { dnsParameters } from './dns.ts';
import { generalParameters } from './general.ts';
import { lmtpParameters } from './lmtp.ts';
import { localParameters } from './local.ts';
import { masterParameters } from './master.ts';
import { milterParameters } from './milter.ts';
import { postscreenParameters } from './postscreen.ts';
import { qmgrParameters } from './qmgr.ts';
import { removedParameters } from './removed.ts';
import { rewriteParameters } from './rewrite.ts';
import { smtpParameters } from './smtp.ts';
import { smtpdParameters } from './smtpd.ts';
import { tablesParameters } from './tables.ts';
import { tlsParameters } from './tls.ts';
import { tlsproxyParameters } from './tlsproxy.ts';
import { transportsParameters } from './transports.ts';
import { verifyParameters } from './verify.ts';
import { virtualParameters } from './virtual.ts';

export const allParameters: readonly ParameterRow[] = [
  ...bounceParameters,
  ...cleanupParameters,
  ...commandsParameters,
  ...dnsParameters,
  ...generalParameters,
  ...lmtpParameters,
  ...localParameters,
  ...masterParameters,
  ...milterParameters,
  ...postscreenParameters,
  ...qmgrParameters,
  ...removedParameters,
  ...rewriteParameters,
  ...smtpParameters,
  ...smtpdParameters,
  ...tablesParameters,
  ...tlsParameters,
  ...tlsproxyParameters,
  ...transportsParameters,
  ...verifyParameters,
  ...virtualParameters,
];
