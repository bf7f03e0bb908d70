/** `postfix /PATH ARGUMENT…`: a program in the environment that Postfix's own scripts have. postfix(1) */
import { spawn } from 'node:child_process';
import type { Configuration } from '#config';
import { installationParameters } from './installation-parameters.ts';

/** Parameters that such programs find under their names. */
const exported = [...installationParameters, 'data_directory', 'queue_directory'];

/** Gives the program's exit status. */
export function runExternal(
  { settings, directory }: Configuration,
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const values = exported.map((name) => [name, settings.string(name)] as const);
  const own = { ...Object.fromEntries(values), MAIL_CONFIG: directory, config_directory: directory };
  const child = spawn(program, args, { stdio: 'inherit', env: { ...env, ...own } });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
