/** Who runs the command: login name and full name. */
import { readFileSync } from 'node:fs';

export interface Login {
  readonly name: string;
  readonly fullName: string;
}

/** undefined: this uid has no name. /etc/passwd is asked first, for the C library costs more than all else here. */
export async function findLogin(uid: number): Promise<Login | undefined> {
  const entry = readPasswordFile().find((fields) => fields[2] === String(uid));
  const [name = '', , , , fullName = ''] = entry ?? [];
  if (name !== '') return { name, fullName: expandFullName(fullName, name) };
  const { getUserById } = await import('#native');
  const user = getUserById(uid);
  return user && { name: user.name, fullName: expandFullName(user.fullName, user.name) };
}

function readPasswordFile(): readonly (readonly string[])[] {
  try {
    return readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'));
  } catch {
    // The C library may know other places.
    return [];
  }
}

/** Up to the first comma; `&` stands for the login name. passwd(5), gecos field */
function expandFullName(text: string, name: string): string {
  const [first = ''] = text.split(',', 1);
  return first.replaceAll('&', name.charAt(0).toUpperCase() + name.slice(1));
}
