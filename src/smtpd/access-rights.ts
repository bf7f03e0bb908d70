/** What a client may do beyond plain SMTP, by its name and address. */
import { type MaybePromise, type TlsFacts, whenReady } from '#message';
import type { BareNewlineMode } from '#smtp';
import type { MatchList, TableList } from '#tables';
import { hasListedCertificate, hasTrustedCertificate } from './known-certificates.ts';
import type { ClientFacts } from './session-state.ts';
import type { RewriteClients } from './rewrite-clients.ts';
import type { SmtpdSettings } from './settings.ts';

/** What follows from who the client is. */
export interface ClientRights {
  readonly bareNewline: BareNewlineMode;
}

/** Before anybody has looked. */
export const noRights: ClientRights = {
  bareNewline: 'normalize',
};

export function rightsOf(settings: SmtpdSettings, client: ClientFacts): MaybePromise<ClientRights> {
  return whenReady(isListed(settings.bareNewlineExclusions, client), (isExcluded) => ({
    bareNewline: isExcluded ? 'no' : settings.forbidBareNewline,
  }));
}

/** Whether a client is in a list; a list that can't be read counts as no. */
export function isListed(list: MatchList, client: Pick<ClientFacts, 'name' | 'address'>): MaybePromise<boolean> {
  return list.isEmpty ? false : whenReady(list.matches(client.name, client.address), (answer) => answer === 'yes');
}

/** Whether a login says who the client is: an anonymous one is for everybody. RFC 4505; postconf(5) permit_sasl_authenticated */
export function provesWho(user: string, method: string): boolean {
  return user !== '' && method.toLowerCase() !== 'anonymous';
}

export interface RewriteFacts {
  readonly client: ClientFacts;
  /** By a login that not anybody can make. */
  readonly hasLoggedIn: boolean;
  readonly ownAddresses: ReadonlySet<string>;
  readonly tls: TlsFacts | undefined;
}

/**
 * Whether a client's headers are rewritten as those of local mail; where that can't be told, the reply.
 * postconf(5) local_header_rewrite_clients
 */
export async function rewritesLocally(
  rules: readonly RewriteClients[],
  facts: RewriteFacts,
  warn: (text: string) => void,
): Promise<boolean | string> {
  for (const rule of rules) {
    if (rule.kind === 'mistake') {
      warn(rule.text);
      if (rule.lacksTable) return '451 4.3.5 Server configuration error';
      continue;
    }
    const answer = applies(rule, facts);
    const applied = answer instanceof Promise ? await answer : answer;
    if (applied === undefined) return '451 4.3.0 Temporary lookup error';
    if (applied) return true;
  }
  return false;
}

function applies(
  rule: Exclude<RewriteClients, { readonly kind: 'mistake' }>,
  { client, hasLoggedIn, ownAddresses, tls }: RewriteFacts,
): MaybePromise<boolean | undefined> {
  switch (rule.kind) {
    case 'inetInterfaces':
      return ownAddresses.has(client.connectedFrom);
    case 'saslAuthenticated':
      return hasLoggedIn;
    case 'all':
      return true;
    case 'anyCertificate':
      if (hasTrustedCertificate(tls)) return true;
      return isListedCertificate(rule.list, tls);
    case 'listedCertificate':
      return isListedCertificate(rule.list, tls);
    case 'list':
      return whenReady(rule.list.matches(client.name, client.address), (answer) =>
        typeof answer === 'object' ? undefined : answer === 'yes',
      );
    case 'table':
      return whenReady(rule.list.lookup(client.address), ({ kind }) =>
        kind === 'failed' ? undefined : kind === 'found',
      );
  }
}

function isListedCertificate(list: TableList, tls: TlsFacts | undefined): MaybePromise<boolean | undefined> {
  return whenReady(hasListedCertificate(list, tls?.peer), (known) =>
    known === 'failed' ? undefined : known === 'yes',
  );
}
