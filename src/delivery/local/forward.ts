/** .forward files. local(8), "FORWARD FILES"; postconf(5) forward_path */
import { expandValue } from '#config';
import type { SystemUser } from '#native';
import { filtered } from '../command-environment.ts';
import { expansionValues } from './command.ts';
import { concludeFailed, warn } from './conclude.ts';
import { deliverToMembers, membersOf } from './destinations.ts';
import { asFile } from '../deliverer-protocol.ts';
import { isNew, type Job, type Mailee, type Place } from './job.ts';

/** The candidates, in order; those with an extension fall away where the address has none. */
function forwardPaths(job: Job, mailee: Mailee, user: SystemUser): readonly string[] {
  const { settings } = job.parts;
  const values = expansionValues(job, mailee, user.home, user.shell);
  const hasExtension = mailee.extension !== '';
  const paths = settings.forwardPath.split(/[\s,]+/).flatMap((template) => {
    if (template === '') return [];
    const expansion = expandValue(template, (name) => {
      if (name === 'recipient_delimiter' && !hasExtension) return '';
      const value = values.get(name);
      return value === undefined ? undefined : filtered(value, settings.forwardFilter);
    });
    return expansion.kind === 'ok' ? [expansion.text] : [];
  });
  return [...new Set(paths)];
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
  if (settings.forwardPath === '' || job.seen.has(`forward ${mailee.user}`)) return false;
  const paths = forwardPaths(job, mailee, user);
  const found = asFile(await deliverers.run(user.uid, user.gid, { kind: 'read', paths }));
  if (found.kind === 'missing') return false;
  if (found.kind === 'unreadable') {
    if (found.path === '') {
      concludeFailed(job, mailee.address, '4.3.0', found.reason);
      return true;
    }
    warn(job, `cannot open file ${found.path}: ${found.reason}`);
    return false;
  }
  const complaint = complaintAbout(found.path, found.facts, user);
  if (complaint !== undefined) {
    warn(job, complaint);
    return false;
  }
  const members = membersOf(found.text);
  if (members.length === 0) return false;
  isNew(job, `forward ${mailee.user}`);
  const usesExtension = mailee.extension !== '' && found.path.includes(mailee.extension);
  const inner: Place = {
    ...place,
    kind: 'forward',
    rights: { uid: user.uid, gid: user.gid, home: user.home, shell: user.shell },
    owner: mailee.user,
    unmatched: settings.propagatesIn.has('forward') && !usesExtension ? mailee.extension : '',
    deliveredTo: settings.isDeliveredToFrozen ? place.deliveredTo : mailee.address,
  };
  await deliverToMembers(job, inner, mailee, members);
  return true;
}
