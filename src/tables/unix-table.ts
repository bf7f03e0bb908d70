/** `unix:passwd.byname`, `unix:group.byname`: the system's databases of users and groups. */
import { foldCase } from '#address';
import { BoundedMemory } from '#message';
import { getGroupByName, getUserByName, UserDatabaseError } from '#native';
import { found, missing } from './memory-table.ts';
import type { LookupResult, Table } from './table.ts';

/** For a name it doesn't know the system asks all services of nsswitch.conf(5), which takes longer than all else of a command. */
const rememberedMs = 50;
const mostRemembered = 1000;

/** Its values are lines of passwd(5) or group(5). */
export function unixTable(name: string, map: string, foldKeys: boolean): Table | string {
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
  const memory = new BoundedMemory<LookupResult>({ ttlMs: rememberedMs, maxEntries: mostRemembered, now: Date.now });
  const lookup = (given: string): LookupResult => {
    const key = foldKeys ? foldCase(given) : given;
    const known = memory.get(key);
    if (known !== undefined) return known;
    try {
      const answer = find(key);
      memory.set(key, answer);
      return answer;
    } catch (error) {
      if (error instanceof UserDatabaseError) return { kind: 'failed', reason: error.message };
      throw error;
    }
  };
  if (map !== 'passwd.byname' && map !== 'group.byname') return `unknown table: ${name}`;
  return { name, acceptsPartialKeys: true, lookup };
}
