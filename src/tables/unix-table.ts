/** `unix:passwd.byname`, `unix:group.byname`: the system's databases of users and groups. */
import { foldCase } from '#address';
import { getGroupByName, getUserByName, UserDatabaseError } from '#native';
import { found, missing } from './memory-table.ts';
import { remembered } from './remembered.ts';
import type { LookupResult, Table } from './table.ts';

/** Its values are lines of passwd(5) or group(5). */
export function unixTable(name: string, map: string, foldKeys: boolean): Table | string {
  if (map !== 'passwd.byname' && map !== 'group.byname') return `unknown table: ${name}`;
  const find = (key: string): LookupResult => {
    if (map === 'passwd.byname') {
      const user = getUserByName(key);
      return user === undefined
        ? missing
        : found(`${user.name}:x:${user.uid}:${user.gid}:${user.fullName}:${user.home}:${user.shell}`);
    }
    const group = getGroupByName(key);
    return group === undefined ? missing : found(`${group.name}:x:${group.gid}:${group.members.join(',')}`);
  };
  const lookup = (key: string): LookupResult => {
    try {
      return find(foldKeys ? foldCase(key) : key);
    } catch (error) {
      if (error instanceof UserDatabaseError) return { kind: 'failed', reason: error.message };
      throw error;
    }
  };
  return remembered({ name, owner: 0, acceptsPartialKeys: true, lookup });
}
