/** Whom a rehearsal asks in the network, and what it leaves out. */
import {
  createHostLookup,
  type DnsAnswer,
  type DnsType,
  type HostLookup,
  type Resolver,
  type SystemResolver,
} from '#dns';
import { isDnsList, type Restriction } from '#smtpd';
import type { RehearsalOnlooker } from './rehearsal.ts';

const isAboutName = /^reject_unknown_(?:reverse_)?client_hostname$/;

/** Restrictions that are not asked: they wait, or ask somebody who remembers. */
export function reasonToAvoid(
  { name }: Restriction,
  { isOffline, isNameless }: { readonly isOffline: boolean; readonly isNameless: boolean },
): string | undefined {
  if (name === 'sleep') return 'an explanation does not wait';
  if (name.startsWith('reject_unverified_')) return 'it would send a probe';
  if (!isOffline) return undefined;
  if (name === 'check_policy_service') return 'it needs a policy server';
  if (isNameless && isAboutName.test(name)) return "it needs the client's name";
  return isDnsList(name) ? 'it needs DNS' : undefined;
}

export interface Network {
  readonly resolver: Resolver;
  readonly hostLookup: HostLookup;
  /** Something was asked that only the network knows; for restrictions, reset before each. */
  wasAsked: boolean;
}

/** DNS with an onlooker; without network every answer is `try again`. */
export function createNetwork(
  isOffline: boolean,
  onlooker: RehearsalOnlooker,
  system: Resolver & Partial<Pick<SystemResolver, 'conf'>>,
): Network {
  const answerTo = (name: string, type: DnsType): Promise<DnsAnswer> => {
    network.wasAsked = true;
    return isOffline ? Promise.resolve({ kind: 'tryAgain', reason: 'not asked: offline' }) : system.lookup(name, type);
  };
  const quiet = createHostLookup({ lookup: answerTo }, { ...(system.conf && { searchList: system.conf }) });
  const network: Network = {
    wasAsked: false,
    resolver: {
      async lookup(name, type) {
        const answer = await answerTo(name, type);
        onlooker.dns(name, type, answer);
        return answer;
      },
    },
    hostLookup: {
      async addresses(name) {
        const found = await quiet.addresses(name);
        onlooker.host(name, found.kind === 'ok' ? found.addresses.join(', ') : found.reason);
        return found;
      },
      async name(address) {
        const found = await quiet.name(address);
        onlooker.host(address, found.kind === 'ok' ? found.name : found.reason);
        return found;
      },
    },
  };
  return network;
}
