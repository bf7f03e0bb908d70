/** `postfix /PATH ARGUMENT…`: a program in the environment that Postfix's own scripts have. postfix(1) */
import { spawn } from 'node:child_process';
import type { Configuration } from '#config';

/** Parameters that such programs find under their names. */
const exported = [
  'command_directory',
  'daemon_directory',
  'data_directory',
  'html_directory',
  'mail_owner',
  'mailq_path',
  'manpage_directory',
  'meta_directory',
  'newaliases_path',
  'queue_directory',
  'readme_directory',
  'sendmail_path',
  'setgid_group',
  'shlib_directory',
];

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
