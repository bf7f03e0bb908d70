/** What root does in directories of another user, who must not lead root elsewhere by names there. */

/** Works as that user until it returns; undefined: as who we are. */
export function asUser<T>(user: { readonly uid: number; readonly gid: number } | undefined, work: () => T): T {
  if (user === undefined) return work();
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  const groups = process.getgroups?.() ?? [];
  process.setgroups?.([user.gid]);
  process.setegid?.(user.gid);
  process.seteuid?.(user.uid);
  try {
    return work();
  } finally {
    process.seteuid?.(uid);
    process.setegid?.(gid);
    process.setgroups?.(groups);
  }
}
