/** The members of an alias, a .forward or an include file. aliases(5) */
import { setImmediate } from 'node:timers/promises';
import { addressesOf, parseAddressList, splitAddress } from '#address';
import type { MaybePromise } from '#message';
import { getUserById } from '#native';
import { asFile, type FileFacts } from '../deliverer-protocol.ts';
import { concludeFailed, warn } from './conclude.ts';
import { deliverToCommand } from './command.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';
import { resubmit } from './resubmit.ts';
import type { Rights } from './settings.ts';
import { deliverToFile } from './write.ts';

/** Members of one or several lines; `#` comments. A line is read when its members are asked for. */
export function* membersOf(text: string): Iterable<string> {
  for (const [line] of text.matchAll(/[^\n]*\n|[^\n]+$/g)) {
    if (line.startsWith('#')) continue;
    for (const member of addressesOf(parseAddressList(line))) if (member !== '') yield member;
  }
}

/** A list may have very many: others have their turn between. */
const mostInATurn = 200;

/** Delivers to each member; gives how many there were. `mailee`: whose expansion it is. */
export async function deliverToMembers(
  job: Job,
  place: Place,
  mailee: Mailee,
  members: Iterable<string>,
): Promise<number> {
  let count = 0;
  for (const member of members) {
    await deliverToMember(job, place, mailee, member);
    count += 1;
    if (count % mostInATurn === 0) await setImmediate();
  }
  return count;
}

async function deliverToMember(job: Job, place: Place, mailee: Mailee, member: string): Promise<void> {
  if (member.startsWith('/')) return deliverToFile(job, place, mailee, member);
  if (member.startsWith('|')) return deliverToCommand(job, place, mailee, member.slice(1));
  if (member.startsWith('~')) return deliverToHomeFile(job, place, mailee, member);
  if (/^:include:/i.test(member)) return include(job, place, mailee, member.slice(':include:'.length).trim());
  return deliverToMemberAddress(job, place, mailee, member);
}

/** `~/file`: below the home directory of whose expansion it is. */
function deliverToHomeFile(job: Job, place: Place, mailee: Mailee, member: string): MaybePromise<void> {
  const home = place.rights?.home ?? '';
  if (member.startsWith('~/') && home.startsWith('/')) return deliverToFile(job, place, mailee, home + member.slice(1));
  const isUnknown = member.startsWith('~/') && home === '';
  warn(job, `${isUnknown ? 'unknown home directory' : 'bad home directory syntax'} for: ${member}`);
  return concludeFailed(job, mailee.address, '5.3.5', 'mail system configuration error');
}

/** An address that routing gives to this transport is delivered here, another goes out as a new message. */
export async function deliverToMemberAddress(job: Job, place: Place, mailee: Mailee, member: string): Promise<void> {
  const { rewriter } = job.parts;
  const standard = withExtension(rewriter.rewrite(member, 'local'), place, mailee);
  const route = await rewriter.resolve(place.sender, standard);
  if (route.kind !== 'resolved') {
    const isFailure = route.kind === 'failed';
    const reason = isFailure ? 'address resolver failure' : `bad recipient address syntax: ${standard}`;
    return concludeFailed(job, mailee.address, isFailure ? '4.3.0' : '5.1.3', reason);
  }
  const { recipient, transport } = route;
  if (transport === job.request.transport) {
    await job.parts.toAddress(job, { ...place, level: place.level + 1 }, recipient);
  } else await resubmit(job, place, recipient);
}

/** propagate_unmatched_extensions */
function withExtension(address: string, place: Place, mailee: Mailee): string {
  if (place.unmatched === '') return address;
  const { localPart, domain } = splitAddress(address);
  const delimiter = mailee.delimiter === '' ? '+' : mailee.delimiter;
  return `${localPart}${delimiter}${place.unmatched}@${domain}`;
}

/** `:include:/file`: its lines are members; read with the rights of the expansion, which for root's aliases are root's. */
async function include(job: Job, place: Place, mailee: Mailee, path: string): Promise<void> {
  const { settings } = job.parts;
  if (!isNew(job, `include ${place.rights?.uid ?? 0} ${path}`)) return;
  const found = await readInclude(job, place, path);
  if (typeof found === 'string') {
    warn(job, found);
    return concludeFailed(job, mailee.address, '5.3.5', 'mail system configuration error');
  }
  const rights = place.rights ?? rightsOfOwner(found.facts.uid);
  if (rights === 'unknown') {
    warn(job, `cannot find username for uid ${found.facts.uid}`);
    warn(job, `${path}: cannot find :include: file owner username`);
    return concludeFailed(job, mailee.address, '4.3.5', 'mail system configuration error');
  }
  const inner: Place = {
    ...place,
    level: place.level + 1,
    kind: 'include',
    rights,
    owner: place.owner === '' ? mailee.address : place.owner,
    unmatched: settings.propagatesIn.has('include') ? place.unmatched : '',
  };
  await deliverToMembers(job, inner, mailee, membersOf(found.text));
}

/** The owner of a file that root's alias includes; a user's own alias or .forward gains no rights by including others' files. */
function rightsOfOwner(uid: number): Rights | 'unknown' | undefined {
  if (uid === 0) return undefined;
  const owner = getUserById(uid);
  return owner === undefined ? 'unknown' : { uid, gid: owner.gid, home: owner.home, shell: owner.shell };
}

/** The file, or what is wrong with it. */
async function readInclude(
  job: Job,
  place: Place,
  path: string,
): Promise<{ readonly text: string; readonly facts: FileFacts } | string> {
  const { deliverers, settings } = job.parts;
  if (!path.startsWith('/')) return `:include:${path} uses a relative path`;
  const read = async (uid: number, gid: number): Promise<ReturnType<typeof asFile>> =>
    asFile(await deliverers.run(uid, gid, { kind: 'read', paths: [path], followsLinks: true }));
  const { uid, gid } = place.rights ?? settings.nobody;
  let found = await read(uid, gid);
  if (found.kind !== 'file' && place.rights === undefined) {
    const byRoot = await read(0, 0);
    // what a system that is not root's can't do is no news about the file
    if (byRoot.kind !== 'unreadable' || byRoot.path !== '') found = byRoot;
  }
  if (found.kind === 'missing') return `unable to lookup :include: file ${path}: No such file or directory`;
  const { facts } = found;
  if (found.kind === 'unreadable') return `cannot open include file ${path}: ${found.reason}`;
  if (!facts.isRegular) return `:include: file ${path} is not a regular file`;
  if ((facts.mode & 0o002) !== 0) return `:include: file ${path} is world writable`;
  return found;
}
