/** What a client may do beyond plain SMTP, by its name and address. */
import type { MaybePromise } from '#message';
import type { MatchList } from '#tables';
import type { ClientFacts } from './session-state.ts';
import type { RewriteClients } from './settings.ts';

/** Whether a client is in a list; a list that can't be read counts as no. */
export async function isListed(list: MatchList, client: Pick<ClientFacts, 'name' | 'address'>): Promise<boolean> {
  if (list.isEmpty) return false;
  const answer = list.matches(client.name, client.address);
  return (answer instanceof Promise ? await answer : answer) === 'yes';
}

export interface RewriteFacts {
  readonly client: ClientFacts;
  readonly saslUsername: string;
  readonly ownAddresses: ReadonlySet<string>;
}

/** local_header_rewrite_clients. postconf(5) */
export async function rewritesHeadersLocally(rules: readonly RewriteClients[], facts: RewriteFacts): Promise<boolean> {
  for (const rule of rules) {
    const answer = applies(rule, facts);
    if (answer instanceof Promise ? await answer : answer) return true;
  }
  return false;
}

function applies(rule: RewriteClients, { client, saslUsername, ownAddresses }: RewriteFacts): MaybePromise<boolean> {
  switch (rule.kind) {
    case 'inetInterfaces':
      return ownAddresses.has(client.connectedFrom);
    case 'saslAuthenticated':
      return saslUsername !== '';
    case 'all':
      return true;
    case 'list':
      return isListed(rule.list, client);
    case 'table': {
      const found = rule.list.lookup(client.address);
      return found instanceof Promise ? found.then(({ kind }) => kind === 'found') : found.kind === 'found';
    }
  }
}
