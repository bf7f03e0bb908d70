/** Restrictions about the client: networks, login, names. postconf(5) */
import { whenReady } from '#message';
import { provesWho } from '../access-rights.ts';
import { oldDefaultNote } from './old-defaults.ts';
import { type Constructor, type Decision, dunno, lookupFailure, permit } from './restriction.ts';

function nameRequired(dsn: string, text: string, status: 'nameStatus' | 'reverseNameStatus'): Constructor {
  return ({ settings }) => {
    const code = settings.int('unknown_client_reject_code');
    return ({ facts }): Decision => {
      const state = facts.client[status];
      if (state === 'ok') return dunno;
      const isTemporary = state === 'tempfail';
      return {
        kind: 'reject',
        code: isTemporary ? 450 : code,
        dsn,
        text: `Client host rejected: cannot find your ${text}, [${facts.client.address}]`,
      };
    };
  };
}

export const client: Readonly<Record<string, Constructor>> = {
  permit_mynetworks:
    ({ mynetworks, oldDefaults, rewriter }) =>
    ({ facts, subject, note }) =>
      whenReady(mynetworks.matches(facts.client.name, facts.client.address), (answer): Decision => {
        if (typeof answer === 'object') return lookupFailure(subject.datum);
        if (answer === 'yes' && oldDefaults.trustsSubnet && !rewriter.ownAddresses.has(facts.client.address)) {
          const effect = `permit request from client "${facts.clientText}"`;
          note(oldDefaultNote('mynetworks_style=subnet', effect));
        }
        return answer === 'yes' ? permit : dunno;
      }),
  permit_inet_interfaces:
    ({ rewriter }) =>
    ({ facts }) =>
      rewriter.ownAddresses.has(facts.client.connectedFrom) ? permit : dunno,
  permit_sasl_authenticated:
    () =>
    ({ facts: { saslUsername, saslMethod = '' } }) =>
      provesWho(saslUsername, saslMethod) ? permit : dunno,
  reject_unknown_client_hostname: nameRequired('4.7.25', 'hostname', 'nameStatus'),
  reject_unknown_reverse_client_hostname: nameRequired('4.7.1', 'reverse hostname', 'reverseNameStatus'),
};
