/** Giving up root for good. */

interface Identity {
  readonly uid: number;
  readonly gid: number;
}

/** Becomes a user without supplementary groups, as agents that deliver do; throws when this can't be done. */
export function becomeUser(user: Identity): void {
  process.setgroups?.([user.gid]);
  become(user);
}

/** Becomes mail_owner with all of its groups, as daemons do: they open the sockets of login servers, filters and the like. */
export function becomeMailOwner(user: Identity): void {
  // the types of Node know nothing of it
  const initGroups: unknown = Reflect.get(process, 'initgroups');
  if (typeof initGroups === 'function') Reflect.apply(initGroups, process, [user.uid, user.gid]);
  become(user);
}

function become({ uid, gid }: Identity): void {
  process.setgid?.(gid);
  process.setuid?.(uid);
  if (process.getuid?.() !== uid || process.getgid?.() !== gid) throw new Error(`can't become user ${uid}`);
}
