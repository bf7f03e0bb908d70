/** postfix(1) upgrade-configuration, tls, non-bdb, and programs in its environment: loaded when they are asked for. */
import { runExternal } from '../run-external.ts';
import { createScriptLog } from '../script-log.ts';
import type { Script } from './script.ts';
import { mend } from './start.ts';

/** Another program; its options are not ours. */
export function external(words: readonly string[]): (script: Script) => Promise<number> {
  return async ({ configuration, io, say }) => {
    try {
      return await runExternal(configuration, words, io.env);
    } catch (error) {
      // as a shell would have it, which runs it in Postfix
      const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      say(`${words[0] ?? ''}: ${isMissing ? 'not found' : 'Permission denied'}`, 'refusal');
      return isMissing ? 127 : 126;
    }
  };
}

/** Keys, certificates and settings of TLS; its options are not ours. */
export function tls(words: readonly string[]): (script: Script) => Promise<number> {
  return async ({ configuration: { directory, settings }, io }) => {
    const { runTls } = await import('../postfix-tls.ts');
    const say = await createScriptLog(io, settings, 'postfix-tls-script');
    return runTls(words, { io, directory, settings, say });
  };
}

/** Whether tables are redirected; it edits main.cf and master.cf. */
export function migration(words: readonly string[]): (script: Script) => Promise<number> {
  return async ({ configuration, io, say }) => {
    const { nonBdb } = await import('../non-bdb.ts');
    const { EditError } = await import('../edit-file.ts');
    const print = (text: string): void => io.stdout(`${text}\n`);
    const warn = (text: string): void => say(text, 'concern');
    try {
      const problem = nonBdb(words, configuration, { print, warn });
      if (problem === undefined) return 0;
      say(problem, 'fatal');
    } catch (error) {
      if (!(error instanceof EditError)) throw error;
      say(error.message, 'fatal');
    }
    return 1;
  };
}

/** Directories, and master.cf as the present version wants it. What is done is told on standard output. */
export async function upgrade(script: Script): Promise<number> {
  const status = await mend(script);
  if (status !== 0) return status;
  const { upgradeMasterText } = await import('../upgrade-configuration.ts');
  const { EditError, editFile } = await import('../edit-file.ts');
  const path = `${script.configuration.directory}/master.cf`;
  try {
    editFile(path, (text) => {
      const upgraded = upgradeMasterText(text);
      for (const what of upgraded.done) script.io.stdout(`Editing ${path}, ${what}\n`);
      return upgraded.text;
    });
    return 0;
  } catch (error) {
    if (!(error instanceof EditError)) throw error;
    script.say(error.message, 'refusal');
    return 1;
  }
}
