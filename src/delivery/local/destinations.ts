/** The members of an alias, a .forward or an include file. aliases(5) */
import { addressesOf, parseAddressList, splitAddress } from '#address';
import { asFile } from '../deliverer-protocol.ts';
import { concludeFailed, warn } from './conclude.ts';
import { deliverToCommand } from './command.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';
import { resubmit } from './resubmit.ts';
import { deliverToFile } from './write.ts';

const maxIncludes = 100;

/** `\name` means: that user's mailbox, without aliases; the parser of addresses would drop the backslash. */
function keepBackslashes(text: string): string {
  return text.replaceAll(/(^|[\s,])\\([\w.+=-]+(?:@[\w.-]+)?)/gm, '$1"\\\\$2"');
}

/** Members of one or several lines; `#` comments. */
export function membersOf(text: string): readonly string[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  return lines
    .flatMap((line) => addressesOf(parseAddressList(keepBackslashes(line))))
    .filter((member) => member !== '');
}

/** Delivers to each member; gives how many there were. `mailee`: whose expansion it is. */
export async function deliverToMembers(
  job: Job,
  place: Place,
  mailee: Mailee,
  members: readonly string[],
): Promise<number> {
  for (const member of members) await deliverToMember(job, place, mailee, member);
  return members.length;
}

async function deliverToMember(job: Job, place: Place, mailee: Mailee, member: string): Promise<void> {
  if (member.startsWith('/')) return deliverToFile(job, place, mailee, member);
  if (member.startsWith('|')) return deliverToCommand(job, place, mailee, member.slice(1).trimStart());
  if (/^:include:/i.test(member)) return include(job, place, mailee, member.slice(':include:'.length).trim());
  return deliverToMemberAddress(job, place, mailee, member);
}

/** An address that routing gives to this transport is delivered here, another goes out as a new message. */
async function deliverToMemberAddress(job: Job, place: Place, mailee: Mailee, member: string): Promise<void> {
  const { rewriter } = job.parts;
  const plain = member.startsWith('\\') ? member.slice(1) : member;
  const standard = withExtension(rewriter.rewrite(plain, 'local'), place, mailee);
  const route = await rewriter.resolve(place.sender, standard);
  if (route.kind !== 'resolved') {
    concludeFailed(job, standard, route.kind === 'failed' ? '4.3.0' : '5.1.3', route.reason);
    return;
  }
  const { transport, nexthop } = job.request;
  if (route.transport === transport && route.nexthop.toLowerCase() === nexthop.toLowerCase()) {
    const next = { ...place, level: place.level + 1 };
    await job.parts.toAddress(job, next, standard, { skipsAliases: member.startsWith('\\') });
  } else resubmit(job, place, standard);
}

/** propagate_unmatched_extensions */
function withExtension(address: string, place: Place, mailee: Mailee): string {
  if (place.unmatched === '') return address;
  const { localPart, domain } = splitAddress(address);
  const delimiter = mailee.delimiter === '' ? '+' : mailee.delimiter;
  return `${localPart}${delimiter}${place.unmatched}@${domain}`;
}

/** `:include:/file`: its lines are members; read with the rights of the expansion, or of the file's owner. */
async function include(job: Job, place: Place, mailee: Mailee, path: string): Promise<void> {
  const { deliverers, settings } = job.parts;
  const misconfigured = (text: string): void => {
    warn(job, text);
    concludeFailed(job, mailee.address, '5.3.5', 'mail system configuration error');
  };
  if (!path.startsWith('/')) return misconfigured(`:include:${path} uses a relative path`);
  if (place.level > maxIncludes) {
    warn(job, `include nesting limit exceeded for ${path}`);
    return concludeFailed(job, mailee.address, '5.4.6', 'include nesting limit exceeded');
  }
  if (!isNew(job, `include ${path}`)) return;
  const first = place.rights ?? settings.nobody;
  const read = async (uid: number, gid: number): Promise<ReturnType<typeof asFile>> =>
    asFile(await deliverers.run(uid, gid, { kind: 'read', paths: [path] }));
  let found = await read(first.uid, first.gid);
  const hasOwner = found.kind !== 'missing' && found.facts.uid !== 0 && found.facts.uid !== first.uid;
  if (hasOwner && found.kind === 'unreadable') found = await read(found.facts.uid, first.gid);
  if (found.kind === 'missing') {
    return misconfigured(`unable to lookup :include: file ${path}: No such file or directory`);
  }
  if (found.kind === 'unreadable') return misconfigured(`open include file ${path}: ${found.reason}`);
  const { facts } = found;
  if (!facts.isRegular) return misconfigured(`:include: file ${path} is not a regular file`);
  if ((facts.mode & 0o002) !== 0) return misconfigured(`:include: file ${path} is world writable`);
  const rights = facts.uid === 0 ? place.rights : { uid: facts.uid, gid: first.gid, home: '', shell: '' };
  const inner: Place = {
    ...place,
    level: place.level + 1,
    kind: 'include',
    rights,
    unmatched: settings.propagatesIn.has('include') ? place.unmatched : '',
  };
  await deliverToMembers(job, inner, mailee, membersOf(found.text));
}
