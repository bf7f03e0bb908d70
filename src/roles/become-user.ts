/** Giving up root for good. */

/** Becomes a user without supplementary groups; throws when this can't be done. */
export function becomeUser({ uid, gid }: { readonly uid: number; readonly gid: number }): void {
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  if (process.getuid?.() !== uid || process.getgid?.() !== gid) throw new Error(`can't become user ${uid}`);
}
