/** .forward files. local(8), "FORWARD FILES"; postconf(5) forward_path */
import type { SystemUser } from '#native';
import { concludeFailed, noteExpanded, warn, withoutSuccess } from './conclude.ts';
import { deliverToListed } from './destinations.ts';
import { expandLocal } from './expansion.ts';
import type { Job, Mailee, Place } from './job.ts';
import { rightsOf } from './settings.ts';
import { openUserFile, UserFile } from './user-file.ts';

interface Candidate {
  readonly path: string;
  /** The extension is part of the name, and so has been used up. */
  readonly usesExtension: boolean;
}

/** In order; those with a name that has no value fall away. */
function forwardPaths(job: Job, mailee: Mailee, user: SystemUser): readonly Candidate[] {
  const { settings } = job.parts;
  const { home, shell } = user;
  const facts = { home, shell, delimiters: settings.split.recipientDelimiter, filter: settings.forwardFilter };
  return settings.forwardPath.split(/[\s,]+/).flatMap((template) => {
    if (template === '') return [];
    const expansion = expandLocal(template, mailee, facts);
    if (expansion?.isWhole !== true) return [];
    return [{ path: expansion.text, usesExtension: /\$(?:extension\b|[{(]\s*extension\s*[)}])/.test(template) }];
  });
}

function complaintAbout(
  path: string,
  facts: { readonly uid: number; readonly mode: number; readonly isRegular: boolean },
  user: SystemUser,
): string | undefined {
  if (!facts.isRegular) return `file ${path} is not a regular file`;
  if (facts.uid !== 0 && facts.uid !== user.uid) return `file ${path} has bad owner uid ${facts.uid}`;
  if ((facts.mode & 0o002) !== 0) return `file ${path} is world writable`;
  return undefined;
}

/** Follows the user's .forward file. False: there is none that counts, and the mailbox is next. */
export async function deliverToForward(job: Job, place: Place, mailee: Mailee, user: SystemUser): Promise<boolean> {
  const { settings, deliverers } = job.parts;
  if (settings.forwardPath === '') return false;
  const candidates = forwardPaths(job, mailee, user);
  const paths = candidates.map(({ path }) => path);
  const found = await openUserFile((request) => deliverers.run(user.uid, user.gid, request), paths, false);
  if (!(found instanceof UserFile)) {
    if (found.kind === 'missing') return false;
    if (found.path === '') {
      await concludeFailed(job, mailee.address, '4.3.0', found.reason);
      return true;
    }
    warn(job, `cannot open file ${found.path}: ${found.reason}`);
    return false;
  }
  const { path } = found;
  // a recipient of its own .forward goes to the mailbox while the file is being read, nowhere after it
  if (!job.seen.isNewExpansion(`forward ${path}`)) return job.seen.hasExpansion(`forward-done ${path}`);
  const complaint = complaintAbout(path, found.facts, user);
  if (complaint !== undefined) {
    warn(job, complaint);
    return false;
  }
  const usesExtension = candidates.some((candidate) => candidate.path === path && candidate.usesExtension);
  const inner: Place = {
    ...place,
    kind: 'forward',
    rights: rightsOf(user, settings.nobody),
    owner: mailee.user,
    unmatched: settings.propagatesIn.has('forward') && !usesExtension ? mailee.extension : '',
    deliveredTo: settings.isDeliveredToFrozen ? place.deliveredTo : mailee.address,
  };
  const members = { ...job, recipient: withoutSuccess(job.recipient) };
  if ((await deliverToListed(members, inner, mailee, found)) === 0) return false;
  noteExpanded(job, mailee.address);
  job.seen.isNewExpansion(`forward-done ${path}`);
  return true;
}
