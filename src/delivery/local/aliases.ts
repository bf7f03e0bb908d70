/** Alias expansion. aliases(5); local(8), "ALIASES" */
import { addressesInPieces, toExternal } from '#address';
import type { MaybePromise, RequestRecipient } from '#message';
import { getUserById } from '#native';
import type { LookupResult, Table, TableList } from '#tables';
import { concludeFailed, concludeSent, noteExpanded, warn, withoutSuccess } from './conclude.ts';
import { deliverToMembers } from './destinations.ts';
import type { Job, Mailee, Place } from './job.ts';
import type { Rights } from './settings.ts';

/** What a table says of a name; `owner`: see `Table`. */
type Alias =
  | { readonly kind: 'found'; readonly value: string; readonly table: Table; readonly owner: number | undefined }
  | { readonly kind: 'failed'; readonly table: Table }
  | { readonly kind: 'missing' };

/** Commands and files in a table have the rights of its owner; root's have those of default_privs. A text says what is wrong. */
function rightsOfTable(job: Job, table: Table, owner: number | undefined): Rights | undefined | string {
  if (owner === undefined) {
    warn(job, `deliver_alias: no owner UID for alias database ${table.name}`);
    return 'mail system configuration error';
  }
  if (owner === 0) return undefined;
  const user = getUserById(owner);
  if (user !== undefined) return { uid: owner, gid: user.gid, home: user.home, shell: user.shell };
  warn(job, `cannot find alias database owner for ${table.name}`);
  return 'cannot find alias database owner';
}

/** The sender that hears of failures of an address: that of a list, when it is one with an owner. */
export async function answererFor(job: Job, { local, user }: Mailee): Promise<string> {
  return (await ownerOf(job, local)) ?? (user === local ? undefined : await ownerOf(job, user)) ?? job.sender;
}

/** The sender of an expansion whose alias has an owner-; undefined when it has none. */
async function ownerOf(job: Job, name: string): Promise<string | undefined> {
  const { settings, rewriter } = job.parts;
  if (!settings.split.ownerRequestSpecial) return undefined;
  const found = await settings.aliases.lookup(`owner-${name}`);
  if (found.kind !== 'found') return undefined;
  const only = settings.expandsOwner ? onlyAddressOf(found.value) : undefined;
  const owner = only ?? `owner-${name}`;
  return rewriter.rewrite(owner, 'local');
}

/** Undefined when there are none or several. */
function onlyAddressOf(list: string): string | undefined {
  let only: string | undefined;
  for (const addresses of addressesInPieces(list)) {
    for (const address of addresses) {
      if (only !== undefined) return undefined;
      only = address;
    }
  }
  return only;
}

/** Index files have names in quotes where they need them; those of older days have not. */
async function findAlias({ tables }: TableList, name: string): Promise<Alias> {
  const quoted = toExternal(`${name}@x`).slice(0, -'@x'.length);
  for (const table of tables) {
    for (const key of new Set([quoted, name])) {
      const answer: MaybePromise<LookupResult> = table.lookup(key);
      // the next one to ask may find another's file in its place
      const owner = answer instanceof Promise ? undefined : table.owner;
      const found = await answer;
      if (found.kind === 'found') return { ...found, table, owner };
      if (found.kind === 'failed') return { kind: 'failed', table };
    }
  }
  return { kind: 'missing' };
}

/** What members inherit of the recipient; those of a list with an owner not what the sender called it. */
function memberOf(recipient: RequestRecipient, hasOwner: boolean): RequestRecipient {
  const inherited = withoutSuccess(recipient);
  return hasOwner ? { ...inherited, original: '', dsnOriginal: '' } : inherited;
}

/** Expands one name. False: it is no alias, or the one that is being expanded. */
export async function deliverToAlias(job: Job, place: Place, mailee: Mailee, name: string): Promise<boolean> {
  const { settings } = job.parts;
  if (name === '' || name === place.from) return false;
  const found = await findAlias(settings.aliases, name);
  if (found.kind === 'missing') return false;
  if (found.kind === 'failed') {
    warn(job, `${found.table.name}: lookup of '${name}' failed`);
    await concludeFailed(job, mailee.address, '4.3.0', 'alias database unavailable');
    return true;
  }
  // who asks for one address wants to know of one; `sendmail -bv` shows all that come of it
  if (job.request.envelope.origin === 'verify') {
    await concludeSent(job, mailee.address, `aliased to ${found.value}`);
    return true;
  }
  const rights = rightsOfTable(job, found.table, found.owner);
  if (typeof rights === 'string') {
    await concludeFailed(job, mailee.address, '4.3.0', rights);
    return true;
  }
  const owner = await ownerOf(job, name);
  const inner: Place = {
    ...place,
    from: name,
    kind: 'alias',
    rights,
    ...(owner === undefined
      ? settings.resetsOwner
        ? { owner: '' }
        : {}
      : { owner: ownerName(owner), sender: owner, isList: true }),
    deliveredTo: settings.isDeliveredToFrozen ? place.deliveredTo : mailee.address,
  };
  const recipient = memberOf(job.recipient, owner !== undefined);
  const members = { ...job, sender: inner.isList ? inner.sender : job.sender, recipient };
  if ((await deliverToMembers(members, inner, mailee, found.value)) === 0) {
    warn(job, `no recipient in alias lookup result for ${name}`);
    await concludeFailed(job, mailee.address, '4.3.0', 'alias database unavailable');
    return true;
  }
  noteExpanded(job, mailee.address, owner !== undefined);
  return true;
}

const ownerName = (address: string): string => address.toLowerCase();
