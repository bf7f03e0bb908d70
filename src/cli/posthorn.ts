/**
 * posthorn(1): what Postfix has no command for. `posthorn quick-start` runs a mail server below ./var at once;
 * `posthorn explain` says what the SMTP server would answer a client, and why; `posthorn status` what the queue manager
 * is at; `posthorn compile` puts the code together ahead.
 */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ConfigError } from '#config';
import { runAllInOne } from '#roles';
import { EX_USAGE } from './exit-status.ts';
import { installation } from './installation.ts';
import type { CliIo } from './io.ts';
import { makeDirectory } from './make-directory.ts';
import { giveDirectory } from './queue-directories.ts';
import { shellWord } from './shell-word.ts';

const standardPort = 2525;

/** Whom the quick start runs as when root starts it: a user without rights. */
const nobody = 65_534;

const ownUid = process.getuid?.() ?? 0;

/** A name to try with, and what sendmail has to be told of it: in a container the user may have none. */
function loginName(): { readonly login: string; readonly sender: string } {
  try {
    return { login: userInfo().username, sender: '' };
  } catch {
    return { login: `uid${ownUid}`, sender: `-f uid${ownUid} ` };
  }
}

interface User {
  readonly uid: number;
  readonly gid: number;
}

/** A configuration that is safe as it stands: mail for this host's names only, relaying for this machine only. */
function mainCf(place: string, domain: string, { uid, gid }: User): string {
  const directory = place.replaceAll('$', '$$$$');
  return `# Made by "posthorn quick-start"; yours to change.
compatibility_level = 3.11
queue_directory = ${directory}/queue
data_directory = ${directory}/data
maillog_file = /dev/stdout
myhostname = ${domain}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtp_tls_security_level =
alias_maps =
alias_database =

# Mail for any name at this host lands in a Maildir.
virtual_mailbox_domains = ${domain}, localhost
virtual_mailbox_base = ${directory}/mail
posthorn_catchall_maildir = $user/
virtual_minimum_uid = 1
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${gid}
myorigin = ${domain}
`;
}

const listener = (port: number): string => `127.0.0.1:${port} inet `;

const masterCf = (port: number): string => `${listener(port)}n - n - - smtpd
pickup    unix  n       -       n       60      1       pickup
cleanup   unix  n       -       n       -       0       cleanup
qmgr      unix  n       -       n       300     1       qmgr
rewrite   unix  -       -       n       -       -       trivial-rewrite
bounce    unix  -       -       n       -       0       bounce
defer     unix  -       -       n       -       0       bounce
trace     unix  -       -       n       -       0       bounce
smtp      unix  -       -       n       -       -       smtp
relay     unix  -       -       n       -       -       smtp
error     unix  -       -       n       -       -       error
retry     unix  -       -       n       -       -       error
discard   unix  -       -       n       -       -       discard
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
lmtp      unix  -       -       n       -       -       lmtp
`;

/** What belongs to whom the server runs as. Whoever that is may put anything in the place of what stands below `queue`. */
const ownDirectories = ['queue', 'queue/pid', 'queue/public', 'queue/private', 'data', 'mail'];

/** Makes what is not there yet; gives the directory of the configuration. */
function prepare(directory: string, port: number, domain: string, user: User): string {
  const etc = `${directory}/etc`;
  const isRoot = ownUid === 0;
  makeDirectory(etc);
  if (isRoot) giveDirectory({ path: etc, owner: { uid: 0, gid: 0 }, mode: 0o755 });
  for (const name of [...ownDirectories, 'queue/maildrop']) makeDirectory(`${directory}/${name}`);
  const owner = isRoot ? { owner: user } : {};
  for (const name of ownDirectories) giveDirectory({ path: `${directory}/${name}`, ...owner });
  giveDirectory({ path: `${directory}/queue/maildrop`, ...owner, mode: 0o1733 });
  if (!existsSync(`${etc}/main.cf`)) writeNew(`${etc}/main.cf`, mainCf(directory, domain, user));
  if (!existsSync(`${etc}/master.cf`)) writeNew(`${etc}/master.cf`, masterCf(port));
  return etc;
}

/** Readable for whom the server runs as, whatever root's umask is. */
function writeNew(path: string, text: string): void {
  writeFileSync(path, text, { flag: 'wx' });
  chmodSync(path, 0o644);
}

function refuseSecond(io: CliIo, directory: string): number {
  io.stderr(
    `posthorn: fatal: a mail system runs in ${directory} already; stop it first, or start this one with a --directory and --port of its own\n`,
  );
  return 1;
}

/** `port`: as asked for; undefined: the standard one. */
async function quickStart(io: CliIo, directory: string, port: number | undefined): Promise<number> {
  const user = ownUid === 0 ? { uid: nobody, gid: nobody } : { uid: ownUid, gid: process.getgid?.() ?? ownUid };
  const name = hostname();
  const domain = name.includes('.') ? name : `${name}.localdomain`;
  // what runs is left as it is, the owners of its directories too
  const { isQueueLocked } = await import('#master');
  if (isQueueLocked(`${directory}/queue`)) return refuseSecond(io, directory);
  const masterFile = `${directory}/etc/master.cf`;
  if (port !== undefined && existsSync(masterFile) && !readFileSync(masterFile, 'utf8').includes(listener(port)))
    io.stderr(`posthorn: warning: --port ${port} is not used: the port is in ${masterFile}, which is there already\n`);
  let etc: string;
  try {
    etc = prepare(directory, port ?? standardPort, domain, user);
  } catch (error) {
    if (error instanceof ConfigError) {
      for (const problem of error.problems) io.stderr(`posthorn: fatal: ${problem}\n`);
      return 1;
    }
    if (!(error instanceof Error && 'code' in error)) throw error;
    io.stderr(`posthorn: fatal: --directory ${directory}: ${error.message}; name one that can be written to\n`);
    return 1;
  }
  return runAllInOne({
    directory: etc,
    ...(ownUid === 0 ? { runAs: user } : {}),
    onReady: (addresses) => {
      const { login, sender } = loginName();
      io.stdout(`
Posthorn listens on ${addresses.join(', ')}; its configuration is in ${etc}.
Send a message:  printf 'Subject: hello\\n\\nIt works.\\n' | ${shellWord(`${installation}/bin/sendmail`)} -C ${shellWord(etc)} ${sender}${login}@${domain}
Read it:         cat ${shellWord(`${directory}/mail/${login}/new`)}/*
Each message's way is shown below. Ctrl-C stops the server; started again it goes on where it was.

`);
    },
    onTaken: () => void refuseSecond(io, directory),
    onProblems: (problems) => {
      for (const text of problems) io.stderr(`posthorn: fatal: ${text}\n`);
    },
  });
}

const usage = `usage: posthorn quick-start [--directory DIR] [--port N]
       posthorn status [--config DIR] [--json]
       posthorn compile
       posthorn explain --client ADDR --helo NAME --from SENDER --to RECIPIENT ... (see posthorn explain --help)
  --directory  where configuration, queue and mail are; ./var of the installation when not given
  --port       where to listen, when the configuration is made (${standardPort})
`;

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const refuse = (problem: string): number => {
    io.stderr(`posthorn: ${problem}\n${usage}`);
    return EX_USAGE;
  };
  if (args[0] === 'explain') {
    const { run: explain } = await import('./explain/index.ts');
    return explain(args.slice(1), io);
  }
  if (args[0] === 'status') {
    const { run: status } = await import('./status.ts');
    return status(args.slice(1), io);
  }
  if (args[0] === 'compile') {
    const { run: compile } = await import('./compile.ts');
    return compile(io);
  }
  if (args[0] === 'help' || args.includes('--help')) {
    io.stdout(usage);
    return 0;
  }
  if (args[0] !== 'quick-start') return refuse(args[0] === undefined ? 'no command' : `no such command: ${args[0]}`);
  try {
    const { values } = parseArgs({
      args: args.slice(1),
      options: {
        directory: { type: 'string', default: `${installation}/var` },
        port: { type: 'string' },
      },
    });
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535))
      return refuse(`bad port: ${values.port}`);
    return await quickStart(io, resolve(values.directory), port);
  } catch (error) {
    if (error instanceof TypeError) return refuse(error.message);
    throw error;
  }
}
