/** Who may send where: the destination restrictions. postconf(5) smtpd_relay_restrictions */
import { splitAddress } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { Rewriter } from '#rewrite';
import { resolveAddress } from './routing.ts';
import { type Constructor, type Decision, dunno, permit } from './restriction.ts';

type Authority = 'ours' | 'routed' | 'other' | { readonly failed: string };

/** Whether mail for a recipient ends here or is relayed on purpose. */
export function authorityOf(
  recipient: string,
  sender: string,
  rewriter: Rewriter,
  allowRouting: boolean,
): MaybePromise<Authority> {
  return whenReady(resolveAddress(rewriter, recipient, sender), (resolution): MaybePromise<Authority> => {
    if (resolution.kind === 'failed') return { failed: resolution.reason };
    if (resolution.kind === 'invalid') return 'other';
    if (resolution.routed && !allowRouting) return 'routed';
    if (resolution.addressClass !== 'default') return 'ours';
    const { domain } = splitAddress(resolution.recipient);
    return whenReady(rewriter.isRelayDomain(domain), (answer): Authority =>
      typeof answer === 'object' ? answer : answer === 'yes' ? 'ours' : 'other',
    );
  });
}

function unauthorised(defers: boolean): Constructor {
  return ({ settings, rewriter }) => {
    const rejectCode = settings.int('relay_domains_reject_code');
    const allowRouting = settings.bool('allow_untrusted_routing');
    const code = defers && rejectCode >= 500 ? rejectCode - 100 : rejectCode;
    return ({ facts, subject, warn }) =>
      whenReady(
        authorityOf(facts.recipient ?? '', facts.sender ?? '', rewriter, allowRouting),
        (authority): Decision => {
          if (typeof authority === 'object') {
            warn(authority.failed);
            return { kind: 'reject', code: 451, dsn: '4.3.0', text: `<${subject.datum}>: Temporary lookup failure` };
          }
          if (authority === 'ours') return dunno;
          return {
            kind: 'reject',
            code,
            dsn: `${Math.floor(code / 100)}.7.1`,
            text: `<${subject.datum}>: Relay access denied`,
          };
        },
      );
  };
}

export const relay: Readonly<Record<string, Constructor>> = {
  reject_unauth_destination: unauthorised(false),
  defer_unauth_destination: unauthorised(true),
  permit_auth_destination: ({ settings, rewriter }) => {
    const allowRouting = settings.bool('allow_untrusted_routing');
    return ({ facts }) =>
      whenReady(authorityOf(facts.recipient ?? '', facts.sender ?? '', rewriter, allowRouting), (authority) =>
        authority === 'ours' ? permit : dunno,
      );
  },
};
