/** `postfix non-bdb`: whether tables of Berkeley DB types are redirected. postfix-non-bdb(1), NON_BERKELEYDB_README */
import { readFileSync } from 'node:fs';
import { type Configuration, readMasterText } from '#config';
import { EditError } from './edit-file.ts';
import { changeMain, changeMaster } from './postconf/change.ts';

const parameter = 'non_bdb_migration_level';
/** Makes redirected tables anew; only Postfix has it. */
const reindexer = 'nbdb_reindex/unix';
const berkeleyTypes: ReadonlySet<string> = new Set(['hash', 'btree']);

export interface NonBdbIo {
  readonly print: (text: string) => void;
  readonly warn: (text: string) => void;
}

function dropReindexer(path: string, warn: (text: string) => void): void {
  const master = readMasterText(path, readFileSync(path, 'utf8'), warn);
  if (typeof master === 'string') throw new EditError(master);
  const isThere = master.entries.some(({ entry }) => `${entry.fields.service}/${entry.fields.type}` === reindexer);
  if (isThere) changeMaster(path, 'entries', 'drop', [reindexer], warn);
}

/** Does what `postfix non-bdb` was asked; a text says why it does not. Throws EditError. */
export function nonBdb(words: readonly string[], configuration: Configuration, io: NonBdbIo): string | undefined {
  const { settings, directory } = configuration;
  const [word = '', ...more] = words;
  const mainPath = `${directory}/main.cf`;
  const masterPath = `${directory}/master.cf`;
  if (more.length > 0) return usage;
  switch (word) {
    case 'status':
      io.print(settings.string(parameter));
      return undefined;
    case 'disable':
      changeMain(mainPath, 'drop', [parameter], io.warn);
      dropReindexer(masterPath, io.warn);
      return undefined;
    case 'enable-redirect': {
      const target = ['default_database_type', 'default_cache_db_type'].find((name) =>
        berkeleyTypes.has(settings.string(name)),
      );
      if (target !== undefined) return `${target} = ${settings.string(target)}: set it to lmdb or cdb first`;
      changeMain(mainPath, 'edit', [`${parameter} = ${word}`], io.warn);
      dropReindexer(masterPath, io.warn);
      return undefined;
    }
    case 'enable-reindex':
      return 'enable-reindex is not in this version: enable-redirect, and run postmap or postalias by hand';
    default:
      return usage;
  }
}

const usage = 'usage: postfix non-bdb status (or disable, enable-redirect)';
