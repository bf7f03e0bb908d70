/** Passwords of users as saslpasswd2(8) keeps them: the `sasldb` plugin of Cyrus SASL's auxprop. */
import { type Stats, readFileSync, statSync } from 'node:fs';
import { readBerkeleyHash } from './berkeley-hash.ts';

const property = 'userPassword';

export class SaslDatabase {
  readonly #path: string;
  #read: { readonly stamp: string; readonly entries: ReadonlyMap<string, Buffer> | undefined } | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** undefined: there is no such user, or no file that can be read. */
  passwordOf(user: string, realm: string): Buffer | undefined {
    const key = Buffer.from(`${user}\0${realm}\0${property}`).toString('latin1');
    return this.#entries()?.get(key);
  }

  /** Read again when it has changed. */
  #entries(): ReadonlyMap<string, Buffer> | undefined {
    try {
      const stamp = stampOf(statSync(this.#path));
      if (this.#read?.stamp !== stamp) this.#read = { stamp, entries: readBerkeleyHash(readFileSync(this.#path)) };
      return this.#read.entries;
    } catch {
      // as to libsasl, users that can't be looked up are not there
      return undefined;
    }
  }
}

const stampOf = ({ mtimeMs, ino, size }: Stats): string => `${mtimeMs} ${ino} ${size}`;
