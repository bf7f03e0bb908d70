/** Who may send where: the destination restrictions. postconf(5) smtpd_relay_restrictions */
import { splitAddress } from '#address';
import { type MaybePromise, whenReady } from '#message';
import { oldDefaultNote } from './old-defaults.ts';
import {
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  lookupFailure,
  permit,
  type Toolbox,
} from './restriction.ts';

/** `routed`: the address says itself where it wants to go, and that can't be trusted. */
type Authority = 'ours' | 'routed' | 'other' | 'failed';

/** Whether mail for the recipient ends here or is relayed on purpose. */
export function authorityOf(
  { facts, route, note }: Evaluation,
  { oldDefaults, rewriter, compiled }: Toolbox,
): MaybePromise<Authority> {
  return whenReady(route(facts.recipient ?? '', facts.sender), (resolution): MaybePromise<Authority> => {
    if (resolution.kind === 'failed') return 'failed';
    if (resolution.kind === 'invalid') return 'other';
    if (resolution.routed && !compiled.allowsUntrustedRouting) return 'routed';
    const { domain } = splitAddress(resolution.recipient);
    if (resolution.addressClass === 'relay' && oldDefaults.relaysOwnDomains)
      note(oldDefaultNote('relay_domains=$mydestination', `accept mail for domain "${domain}"`));
    if (resolution.addressClass !== 'default') return 'ours';
    return whenReady(rewriter.isRelayDomain(domain), (answer): Authority =>
      typeof answer === 'object' ? 'failed' : answer === 'yes' ? 'ours' : 'other',
    );
  });
}

function byAuthority(judge: (authority: Authority, recipient: string) => Decision): Constructor {
  return (toolbox) => (evaluation) => {
    const { recipient } = evaluation.facts;
    if (recipient === undefined) return dunno;
    return whenReady(authorityOf(evaluation, toolbox), (authority) =>
      authority === 'failed' ? lookupFailure(recipient) : judge(authority, recipient),
    );
  };
}

function unauthorised(defers: boolean): Constructor {
  return (toolbox, argument, options) => {
    const rejectCode = toolbox.settings.int('relay_domains_reject_code');
    const code = defers ? rejectCode - 100 : rejectCode;
    const dsn = defers ? '4.7.1' : '5.7.1';
    const judge = byAuthority((authority, recipient) =>
      authority === 'ours' ? dunno : { kind: 'reject', code, dsn, text: `<${recipient}>: Relay access denied` },
    );
    return judge(toolbox, argument, options);
  };
}

export const relay: Readonly<Record<string, Constructor>> = {
  reject_unauth_destination: unauthorised(false),
  defer_unauth_destination: unauthorised(true),
  permit_auth_destination: byAuthority((authority) => (authority === 'ours' ? permit : dunno)),
};
