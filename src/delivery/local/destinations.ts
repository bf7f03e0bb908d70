/** The members of an alias, a .forward or an include file. aliases(5) */
import { addressesInPieces, splitAddress } from '#address';
import type { MaybePromise } from '#message';
import { getUserById } from '#native';
import { maxNesting } from './bounds.ts';
import { concludeFailed, warn } from './conclude.ts';
import { deliverToCommand } from './command.ts';
import type { Job, Mailee, Place } from './job.ts';
import { resubmit } from './resubmit.ts';
import type { Rights } from './settings.ts';
import { type AskReader, openUserFile, type Unopened, UserFile } from './user-file.ts';
import { deliverToFile } from './write.ts';

/** Delivers to each member of a line or an alias's value; gives how many there were. `mailee`: whose expansion it is. */
export async function deliverToMembers(job: Job, place: Place, mailee: Mailee, text: string): Promise<number> {
  const { steps } = job;
  let count = 0;
  let pieces = 0;
  for (const members of addressesInPieces(text)) {
    if (pieces > 0) await steps.takePiece();
    pieces += 1;
    for (const member of members) {
      if (member === '') continue;
      await deliverToMember(job, place, mailee, member);
      count += 1;
      await steps.takeMember();
      if (steps.areUsedUp) return count;
    }
  }
  return count;
}

/** The same for what a file lists. As with Postfix, a member that has to wait keeps those on the lines behind it waiting. */
export async function deliverToListed(job: Job, place: Place, mailee: Mailee, file: UserFile): Promise<number> {
  const { outcomes, steps } = job;
  const { deferred } = outcomes;
  let count = 0;
  for await (const read of file.lines(job.parts.settings.lineLengthLimit)) {
    if (read.kind === 'unreadable') {
      await concludeFailed(job, mailee.address, '4.3.0', `cannot read ${file.path}: ${read.reason}`);
      return count;
    }
    // the file may be endless, and hold nothing
    if (read.kind === 'further') {
      await steps.takePiece();
      if (steps.areUsedUp) return count;
      continue;
    }
    for (const line of read.lines) {
      count += await deliverToMembers(job, place, mailee, line);
      await steps.takeText(line.length);
      if (outcomes.deferred > deferred || steps.areUsedUp) return count;
    }
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
  const { rewriter, settings } = job.parts;
  const standard = withExtension(rewriter.rewrite(member, 'local'), place, mailee);
  if (settings.takesUtf8 && !standard.isWellFormed())
    return concludeFailed(job, mailee.address, '5.1.3', `bad recipient address syntax: ${standard}`);
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

/** `:include:/file`: its lines are members; read with the rights of the expansion, which for root's aliases are root's where it can be. */
async function include(job: Job, place: Place, mailee: Mailee, path: string): Promise<void> {
  const { settings } = job.parts;
  if (!job.seen.isNewExpansion(`include ${place.rights?.uid ?? 0} ${path}`)) return;
  await job.steps.takeFile();
  const found = await openInclude(job, place, path);
  if (typeof found === 'string') {
    warn(job, found);
    return concludeFailed(job, mailee.address, '5.3.5', 'mail system configuration error');
  }
  const { file, rights } = found;
  if (rights === 'unknown') {
    warn(job, `cannot find username for uid ${file.facts.uid}`);
    warn(job, `${path}: cannot find :include: file owner username`);
    return concludeFailed(job, mailee.address, '4.3.5', 'mail system configuration error');
  }
  if (place.level > maxNesting) {
    warn(job, `recipient nesting limit exceeded for :include:${path}`);
    return concludeFailed(job, mailee.address, '5.4.6', 'recipient nesting limit exceeded');
  }
  const inner: Place = {
    ...place,
    level: place.level + 1,
    kind: 'include',
    rights,
    owner: place.owner === '' ? mailee.address : place.owner,
    unmatched: settings.propagatesIn.has('include') ? place.unmatched : '',
  };
  await deliverToListed(job, inner, mailee, file);
}

/** A file, and whose rights its members have. Undefined: root's place in the expansion. */
interface Included {
  readonly file: UserFile;
  readonly rights: Rights | 'unknown' | undefined;
}

/** The file, or what is wrong with it. */
async function openInclude(job: Job, place: Place, path: string): Promise<Included | string> {
  if (!path.startsWith('/')) return `:include:${path} uses a relative path`;
  const found = await (place.rights === undefined ? openForRoot(job, path) : openAs(job, place.rights, path));
  if ('kind' in found) {
    return found.kind === 'missing'
      ? `unable to lookup :include: file ${path}: No such file or directory`
      : `cannot open include file ${path}: ${found.reason}`;
  }
  const { facts } = found.file;
  if (!facts.isRegular) return `:include: file ${path} is not a regular file`;
  if ((facts.mode & 0o002) !== 0) return `:include: file ${path} is world writable`;
  return found;
}

/** Whose file it is makes no difference: a user's own alias or .forward gains no rights by including others' files. */
async function openAs({ parts }: Job, rights: Rights, path: string): Promise<Included | Unopened> {
  const ask: AskReader = (request) => parts.deliverers.run(rights.uid, rights.gid, request);
  const file = await openUserFile(ask, [path], true);
  return file instanceof UserFile ? { file, rights } : file;
}

/**
 * A file that root's alias includes. Root's process reads it, and is believed when it says whose file it is. What root's
 * process may not read, and every file where the system isn't root's, is read as default_privs: that process could lie about
 * the owner, so the members have its rights at most.
 */
async function openForRoot(job: Job, path: string): Promise<Included | Unopened> {
  const { deliverers, settings } = job.parts;
  const byRoot = await openUserFile((request) => deliverers.run(0, 0, request), [path], true);
  if (byRoot instanceof UserFile) return { file: byRoot, rights: rightsOfOwner(byRoot.facts.uid) };
  if (byRoot.kind === 'missing' || byRoot.path !== '') return byRoot;
  const byNobody = await openAs(job, settings.nobody, path);
  return 'kind' in byNobody || byNobody.file.facts.uid !== 0 ? byNobody : { ...byNobody, rights: undefined };
}

function rightsOfOwner(uid: number): Rights | 'unknown' | undefined {
  if (uid === 0) return undefined;
  const owner = getUserById(uid);
  return owner === undefined ? 'unknown' : { uid, gid: owner.gid, home: owner.home, shell: owner.shell };
}
