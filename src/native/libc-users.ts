/** Users and groups by the system's own sources (getpwnam(3)), so that directory services work. */
import { readFileSync } from 'node:fs';
import { getSystemErrorMap } from 'node:util';
import { koffi } from './koffi.ts';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly fullName: string;
  readonly home: string;
  readonly shell: string;
}

export interface SystemGroup {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** The users or groups can't be looked up now; nothing is known about the name. */
export class UserDatabaseError extends Error {}

interface Calls {
  userByName(name: string): unknown;
  userById(uid: number): unknown;
  groupByName(name: string): unknown;
}

let calls: Calls | undefined;

/** Large enough for any entry that a person made. */
const roomForStrings = 64 * 1024;

/** Bound once, on first use. The reentrant calls, because only they tell "not found" from "can't tell". */
function libcCalls(): Calls {
  if (calls !== undefined) return calls;
  const libc = koffi().load('libc.so.6');
  koffi().struct('passwd', {
    pw_name: 'str',
    pw_passwd: 'str',
    pw_uid: 'uint32_t',
    pw_gid: 'uint32_t',
    pw_gecos: 'str',
    pw_dir: 'str',
    pw_shell: 'str',
  });
  koffi().struct('group', { gr_name: 'str', gr_passwd: 'str', gr_gid: 'uint32_t', gr_mem: 'void *' });
  const rest = '_Inout_ uint8_t *strings, size_t length, _Out_ void **result)';
  const byName = libc.func(`int getpwnam_r(const char *name, _Out_ passwd *entry, ${rest}`);
  const byId = libc.func(`int getpwuid_r(uint32_t uid, _Out_ passwd *entry, ${rest}`);
  const groupByName = libc.func(`int getgrnam_r(const char *name, _Out_ group *entry, ${rest}`);
  const strings = Buffer.alloc(roomForStrings);
  const look = (call: (...args: unknown[]) => unknown, key: string | number): unknown => {
    const entry = {};
    const result: unknown[] = [null];
    const error = call(key, entry, strings, strings.length, result);
    if (error !== 0) throw new UserDatabaseError(`looking up ${key}: ${errorName(Number(error))}`);
    return result[0] === null ? undefined : entry;
  };
  calls = {
    userByName: (name) => look(byName, name),
    userById: (uid) => look(byId, uid),
    groupByName: (name) => look(groupByName, name),
  };
  return calls;
}

function errorName(code: number): string {
  return getSystemErrorMap().get(-code)?.[1] ?? `error ${code}`;
}

function toUser(value: unknown): SystemUser | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const field = (name: string): unknown => Reflect.get(value, name);
  const text = (name: string): string => {
    const content = field(name);
    return typeof content === 'string' ? content : '';
  };
  return {
    name: text('pw_name'),
    uid: Number(field('pw_uid')),
    gid: Number(field('pw_gid')),
    fullName: text('pw_gecos'),
    home: text('pw_dir'),
    shell: text('pw_shell'),
  };
}

/** Throws UserDatabaseError. */
export function getUserByName(name: string): SystemUser | undefined {
  return toUser(libcCalls().userByName(name));
}

/** Throws UserDatabaseError. */
export function getUserById(uid: number): SystemUser | undefined {
  return toUser(libcCalls().userById(uid));
}

/** Members come from /etc/group; getgrnam's list is not read. Throws UserDatabaseError. */
export function getGroupByName(name: string): SystemGroup | undefined {
  const value = libcCalls().groupByName(name);
  if (typeof value !== 'object' || value === null) return undefined;
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  const members = (line?.split(':')[3] ?? '').split(',').filter((member) => member !== '');
  return { name, gid: Number(Reflect.get(value, 'gr_gid')), members };
}
