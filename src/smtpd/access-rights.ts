/** What a client may do beyond plain SMTP, by its name and address. */
import type { MaybePromise } from '#message';
import type { BareNewlineMode } from '#smtp';
import type { MatchList } from '#tables';
import type { ClientFacts } from './session-state.ts';
import type { RewriteClients, SmtpdSettings } from './settings.ts';

/** What follows from who the client is. */
export interface ClientRights {
  /** Extensions that EHLO tells this client of. */
  readonly announced: { readonly xclient: boolean; readonly xforward: boolean; readonly xverp: boolean };
  readonly bareNewline: BareNewlineMode;
  /** Its headers are rewritten as local mail's. */
  readonly rewritesLocally: boolean;
}

/** Before anybody has looked. */
export const noRights: ClientRights = {
  announced: { xclient: false, xforward: false, xverp: false },
  bareNewline: 'normalize',
  rewritesLocally: false,
};

export async function rightsOf(settings: SmtpdSettings, facts: RewriteFacts): Promise<ClientRights> {
  const { client } = facts;
  const announced = {
    xclient: await isListed(settings.xclientHosts, client),
    xforward: await isListed(settings.xforwardHosts, client),
    xverp: await isListed(settings.verpClients, client),
  };
  const isExcluded = await isListed(settings.bareNewlineExclusions, client);
  return {
    announced,
    bareNewline: isExcluded ? 'no' : settings.forbidBareNewline,
    rewritesLocally: await rewritesHeadersLocally(settings.localRewriteClients, facts),
  };
}

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
async function rewritesHeadersLocally(rules: readonly RewriteClients[], facts: RewriteFacts): Promise<boolean> {
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
