/** The layout of an installation: started by root, with processes for each user. Needs root. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bin, freePort, until } from './support/quick-start.ts';
import { commonServices } from './support/services.ts';
import { commonSettings } from './support/settings.ts';

const nobody = 65_534;
/** mail_owner: another user than that of default_privs. */
const daemon = 1;

const master = (port: number): string => `127.0.0.1:${port} inet n - n - - smtpd
${commonServices}smtp      unix  -       -       n       -       -       smtp
local     unix  -       n       n       -       -       local
virtual   unix  -       n       n       -       -       virtual
`;

describe('a system started by root', { skip: process.getuid?.() === 0 ? false : 'needs root' }, () => {
  const base = mkdtempSync(join(tmpdir(), 'posthorn-root-'));
  const etc = `${base}/etc`;
  const work = `${base}/work`;
  const run = (name: string, args: readonly string[], input = ''): { status: number | null; text: string } => {
    const env = { ...process.env, MAIL_CONFIG: etc };
    const ran = spawnSync(`${bin}/${name}`, args, { env, input, encoding: 'utf8', timeout: 30_000 });
    return { status: ran.status, text: ran.stdout + ran.stderr };
  };
  const log = (): string => (existsSync(`${base}/mail.log`) ? readFileSync(`${base}/mail.log`, 'utf8') : '');
  const logged = (pattern: RegExp): Promise<true> =>
    until(`the log to say ${String(pattern)}`, () => (pattern.test(log()) ? true : undefined));

  before(async () => {
    chmodSync(base, 0o755);
    for (const name of ['etc', 'queue', 'data', 'work']) mkdirSync(`${base}/${name}`);
    chownSync(`${base}/data`, daemon, daemon);
    chmodSync(work, 0o777);
    writeFileSync(
      `${etc}/main.cf`,
      `${commonSettings(base)}mydestination = example.com
myorigin = example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps = hash:${etc}/aliases
alias_database = hash:${etc}/aliases
local_recipient_maps =
mail_spool_directory = ${base}/mail/
`,
    );
    writeFileSync(`${etc}/master.cf`, master(await freePort()));
    writeFileSync(
      `${etc}/aliases`,
      `cmd: "|cat > ${work}/command"\nfile: ${work}/file\nbox: ${work}/box/\nlead: root\nteam: lead, :include:${etc}/team\n`,
    );
    writeFileSync(`${etc}/team`, 'root\n');
    assert.equal(run('newaliases', []).status, 0);
    const started = run('postfix', ['start']);
    assert.equal(started.status, 0, started.text);
  });
  after(() => {
    run('postfix', ['stop']);
    rmSync(base, { recursive: true, force: true });
  });

  it('says that it runs', () => {
    assert.equal(run('postfix', ['status']).status, 0);
    assert.match(log(), /the Postfix mail system is running: PID: \d+/);
  });

  it('is reloaded and stopped by nobody else', () => {
    const env = { ...process.env, MAIL_CONFIG: etc };
    for (const word of ['reload', 'stop']) {
      const ran = spawnSync(`${bin}/postfix`, [word], { env, uid: nobody, gid: nobody, encoding: 'utf8' });
      assert.equal(ran.status, 1, word);
      assert.equal(ran.stderr, '', 'for people at a terminal only');
    }
  });

  it('delivers aliases to a command, a file and a maildir, not as root', async () => {
    for (const name of ['cmd', 'file', 'box']) {
      assert.equal(
        run('sendmail', ['-f', 'a@example.org', `${name}@example.com`], `Subject: ${name}\n\nbody\n`).status,
        0,
      );
    }
    await logged(/to=<cmd@example\.com>, .*status=sent \(delivered to command: cat > /);
    await logged(/to=<file@example\.com>, .*status=sent \(delivered to file: /);
    await logged(/to=<box@example\.com>, .*status=sent \(delivered to maildir\)/);
    assert.match(readFileSync(`${work}/command`, 'utf8'), /^From a@example\.org .*\nReturn-Path: <a@example\.org>\n/);
    const owner = spawnSync('stat', ['-c', '%u', `${work}/file`], { encoding: 'utf8' }).stdout.trim();
    assert.equal(owner, String(nobody));
  });

  it('lets nobody debug the processes that act as users, nor lock its pid file', () => {
    const [master = ''] = readFileSync(`${base}/queue/pid/master.pid`, 'latin1').trim().split('\n');
    const children = spawnSync('ps', ['-o', 'pid=,uid=', '--ppid', master], { encoding: 'utf8' }).stdout;
    const deliverers = children
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/ +/).map(Number))
      .filter(([, uid]) => uid === nobody);
    assert.ok(deliverers.length > 0, children);
    for (const [pid = 0] of deliverers) {
      process.kill(pid, 'SIGUSR1');
      // the debugger's thread takes its time
      spawnSync('sleep', ['0.5']);
      const sockets = readFileSync(`/proc/${pid}/net/tcp`, 'latin1');
      const inodes = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
      const listening = sockets
        .split('\n')
        .filter((line) => / 0A /.test(line) && inodes.includes(`socket:[${line.trim().split(/ +/)[9]}]`));
      assert.deepEqual(listening, []);
    }
    assert.equal(statSync(`${base}/queue/pid/master.pid`).mode & 0o777, 0o600);
  });

  it('returns local mail that is refused after it was taken', async () => {
    writeFileSync(`${etc}/aliases`, `${readFileSync(`${etc}/aliases`, 'utf8')}me: ${work}/me\n`);
    assert.equal(run('newaliases', []).status, 0);
    run('postconf', ['-e', 'header_checks = inline:{{x=y}}', `header_checks = regexp:${etc}/checks`]);
    writeFileSync(`${etc}/checks`, '/^Subject: forbidden/ REJECT not wanted here\n');
    assert.equal(run('postfix', ['reload']).status, 0);
    await logged(/reload -- version/);
    assert.equal(
      run('sendmail', ['-f', 'me@example.com', 'file@example.com'], 'Subject: forbidden\n\nbody\n').status,
      0,
    );
    await logged(/cleanup.*to=<file@example\.com>, .*relay=none, .*status=bounced \(.*not wanted here\)/);
    await until('the notice', () => (existsSync(`${work}/me`) ? true : undefined));
    await logged(/to=<me@example\.com>, .*status=sent/);
    assert.match(readFileSync(`${work}/me`, 'utf8'), /not wanted here/);
  });

  it('sends mail for an include file on as a message of its own, whoever else has it', async () => {
    assert.equal(run('sendmail', ['-f', 'a@example.org', 'team@example.com'], 'Subject: team\n\nbody\n').status, 0);
    await logged(/to=<team@example\.com>, .*status=sent \(forwarded as /);
    await logged(/(?:to=<root@example\.com>, orig_to=<team@example\.com>, .*delivered to maildir[^]*){2}/);
  });

  it("delivers root's own mail, and runs its commands as somebody else", async () => {
    assert.equal(run('sendmail', ['-f', 'a@example.org', 'root@example.com'], 'Subject: root\n\nbody\n').status, 0);
    await logged(/to=<root@example\.com>, relay=.*status=sent \(delivered to maildir\)/);
    const owner = spawnSync('stat', ['-c', '%u', `${base}/mail/root/new`], { encoding: 'utf8' }).stdout.trim();
    assert.equal(owner, '0');
    assert.equal(run('postconf', ['-e', `mailbox_command = id -un > ${work}/who`]).status, 0);
    assert.equal(run('postfix', ['reload']).status, 0);
    await logged(/(?:reload -- version[^]*){2}/);
    assert.equal(run('sendmail', ['-f', 'a@example.org', 'root@example.com'], 'Subject: root\n\nbody\n').status, 0);
    await logged(/to=<root@example\.com>, .*status=sent \(delivered to command: id -un/);
    assert.equal(readFileSync(`${work}/who`, 'utf8'), 'nobody\n');
    run('postconf', ['-e', 'mailbox_transport = discard:']);
    assert.equal(run('postfix', ['reload']).status, 0);
    await logged(/(?:reload -- version[^]*){3}/);
    assert.equal(run('sendmail', ['-f', 'a@example.org', 'root@example.com'], 'Subject: root\n\nbody\n').status, 0);
    await logged(/: passing <root@example\.com> to transport=discard\n[^]*postfix\/discard.*to=<root@example\.com>/);
  });

  it('makes mailboxes for their users in a spool where only root may write', async () => {
    mkdirSync(`${base}/spool`, { mode: 0o755 });
    for (const name of ['mailbox_command', 'mailbox_transport']) run('postconf', ['-X', name]);
    run('postconf', ['-e', `mail_spool_directory = ${base}/spool`]);
    assert.equal(run('postfix', ['reload']).status, 0);
    await logged(/(?:reload -- version[^]*){4}/);
    const to = ['nobody@example.com', 'root@example.com'];
    assert.equal(run('sendmail', ['-f', 'a@example.org', ...to], 'Subject: s\n\nbody\n').status, 0);
    for (const address of to)
      await logged(new RegExp(`to=<${address}>, relay=local, .*status=sent \\(delivered to mailbox\\)`));
    const facts = spawnSync('stat', ['-c', '%U %a', 'nobody', 'root'], { cwd: `${base}/spool`, encoding: 'utf8' });
    assert.equal(facts.stdout, 'nobody 600\nroot 600\n');
    assert.deepEqual(readdirSync(`${base}/spool`).toSorted(), ['nobody', 'root'], 'no locks stay');
  });

  it('does not start with a bad value, and warns of what would be an open relay', () => {
    const before = readFileSync(`${etc}/main.cf`, 'utf8');
    const checked = (line: string): { readonly status: number | null; readonly text: string } => {
      writeFileSync(`${etc}/main.cf`, `${before}${line}\n`);
      const result = run('postfix', ['check']);
      writeFileSync(`${etc}/main.cf`, before);
      return result;
    };
    const open = checked('smtpd_relay_restrictions = permit');
    assert.equal(open.status, 0);
    assert.match(open.text, /warning: .*specify at least one working instance of: reject_unauth_destination, /);
    const bad = checked('message_size_limit = lots');
    assert.equal(bad.status, 1);
    assert.match(bad.text, /main\.cf, line \d+: bad value for parameter message_size_limit: "lots"/);
  });

  it('logs what postsuper does, which is not root any more, in a log that root alone can reach', async () => {
    mkdirSync(`${base}/closed`, { mode: 0o700 });
    writeFileSync(
      `${base}/closed/main.cf`,
      readFileSync(`${etc}/main.cf`, 'utf8').replace('/mail.log', '/closed/mail.log'),
    );
    assert.equal(run('postsuper', ['-c', `${base}/closed`, '-h', 'ALL']).status, 0);
    await logged(/postsuper\[\d+\]: Placed on hold: 0 messages/);
  });

  it('stops, and takes its pid file away', () => {
    assert.equal(run('postfix', ['stop']).status, 0);
    assert.equal(existsSync(`${base}/queue/pid/master.pid`), false);
    assert.equal(run('postfix', ['status']).status, 1);
  });

  it('lets root see and change the queue meanwhile, with the rights of its owner', () => {
    assert.equal(run('sendmail', ['-f', 'a@example.org', 'box@example.com'], 'Subject: s\n\nbody\n').status, 0);
    assert.match(run('mailq', []).text, /box@example\.com/);
    assert.match(run('postsuper', ['-d', 'ALL']).text, /postsuper: Deleted: 1 message\n$/);
    assert.match(run('mailq', []).text, /^Mail queue is empty$/m);
    // what is not its owner's is nobody's business
    chownSync(`${base}/queue/posthorn.db`, 0, 0);
    assert.match(run('postsuper', ['-d', 'ALL']).text, /Permission denied|EACCES/);
    assert.equal(run('postfix', ['check']).status, 0, 'mends that');
    assert.match(run('postsuper', ['-d', 'ALL']).text, /Deleted: 0 messages/);
  });
});
