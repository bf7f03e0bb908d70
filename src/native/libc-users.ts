/** Users and groups by the system's own sources (getpwnam(3)), so that directory services work. */
import { readFileSync } from 'node:fs';
import koffi from 'koffi';

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

interface Calls {
  userByName(name: string): unknown;
  userById(uid: number): unknown;
  groupByName(name: string): unknown;
}

let calls: Calls | undefined;

/** Bound once, on first use. */
function libcCalls(): Calls {
  if (calls !== undefined) return calls;
  const libc = koffi.load('libc.so.6');
  const passwd = koffi.struct('passwd', {
    pw_name: 'str',
    pw_passwd: 'str',
    pw_uid: 'uint32_t',
    pw_gid: 'uint32_t',
    pw_gecos: 'str',
    pw_dir: 'str',
    pw_shell: 'str',
  });
  const group = koffi.struct('group', { gr_name: 'str', gr_passwd: 'str', gr_gid: 'uint32_t', gr_mem: 'void *' });
  const byName = libc.func('passwd *getpwnam(const char *name)');
  const byId = libc.func('passwd *getpwuid(uint32_t uid)');
  const groupByName = libc.func('group *getgrnam(const char *name)');
  const decode = (pointer: unknown, type: typeof passwd): unknown =>
    pointer === null ? undefined : koffi.decode(pointer, type);
  calls = {
    userByName: (name) => decode(byName(name), passwd),
    userById: (uid) => decode(byId(uid), passwd),
    groupByName: (name) => decode(groupByName(name), group),
  };
  return calls;
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

export function getUserByName(name: string): SystemUser | undefined {
  return toUser(libcCalls().userByName(name));
}

export function getUserById(uid: number): SystemUser | undefined {
  return toUser(libcCalls().userById(uid));
}

/** Members come from /etc/group; getgrnam's list is not read. */
export function getGroupByName(name: string): SystemGroup | undefined {
  const value = libcCalls().groupByName(name);
  if (typeof value !== 'object' || value === null) return undefined;
  const line = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${name}:`));
  const members = (line?.split(':')[3] ?? '').split(',').filter((member) => member !== '');
  return { name, gid: Number(Reflect.get(value, 'gr_gid')), members };
}
