/**
 * Files of the maildrop directory that have had their time and could not be removed. They are noted on disk, each under its
 * own name, so that a process that comes later does not send them again. Without such a file there is no directory.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '#native';

export class TakenFiles {
  readonly #directory: string;
  readonly #identities = new Map<string, string>();

  /** The directory is made when it is needed. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Rejects when the note can't be read. */
  async has(name: string, identity: string): Promise<boolean> {
    if (this.#identities.get(name) === identity) return true;
    if (!existsSync(this.#directory)) return false;
    try {
      return (await readFile(join(this.#directory, name), 'utf8')) === identity;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Rejects when it can't be noted on disk: then only this process knows. */
  async add(name: string, identity: string): Promise<void> {
    this.#identities.set(name, identity);
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    await writeFile(join(this.#directory, name), identity, { flush: true });
  }

  /** What is noted, by this process or another. */
  async names(): Promise<readonly string[]> {
    const noted = existsSync(this.#directory) ? await readdir(this.#directory) : [];
    return [...new Set([...this.#identities.keys(), ...noted])];
  }

  async forget(name: string): Promise<void> {
    this.#identities.delete(name);
    if (!existsSync(this.#directory)) return;
    await rm(join(this.#directory, name), { force: true });
    try {
      await rmdir(this.#directory);
    } catch (error) {
      if (errnoOf(error) !== 'ENOTEMPTY' && errnoOf(error) !== 'ENOENT') throw error;
    }
  }
}
