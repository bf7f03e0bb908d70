import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { run } from '../../../src/cli/postmulti.ts';
import { parseMulti } from '../../../src/cli/postmulti/options.ts';

describe('the command line of postmulti', () => {
  it('is refused in Postfix’s words', () => {
    for (const [args, text] of [
      [[], "Specify exactly one of '-e', '-l', '-p', '-x'"],
      [['-l', '-a', '-i', 'x'], "Specity no more than one of '-a', '-g', '-i'"],
      [['-p'], "Command required with '-p' or '-x' option"],
      [['-e', 'enable'], "Select an instance via '-i name'"],
      [['-e', 'create', '-I', 'a/b'], "Illegal '/' character in new instance name: 'a/b'"],
      [['-e', 'create', '-I', 'other'], "New instance name must start with 'postfix-'"],
      [['-e', 'create', '-I', 'postfix-x', 'mydomain=x'], "Parameter 'mydomain' not valid with action create"],
      [['-e', 'create', '-I', 'a/b c'], "Unsafe characters in new instance name: 'a/b c'"],
      [['-e', 'create', '-I', 'postfix-x', '-G', 'a,b'], "Unsafe characters in '-G a,b'"],
      [['-e', 'create', '-I', 'postfix-x', 'x'], "Malformed parameter setting 'x'"],
      [
        ['-e', 'create', '-I', 'postfix-x', 'queue_directory=x'],
        "Parameter setting 'queue_directory' is not an absolute path",
      ],
      [
        ['-e', 'create', '-I', 'postfix-x', 'queue_directory='],
        "Parameter setting 'queue_directory' is not an absolute path",
      ],
      [
        ['-e', 'create', '-I', 'postfix-x', 'data_directory=//'],
        "Parameter setting 'data_directory' is the root directory",
      ],
      [['-e', 'import', 'queue_directory=/x'], "Parameter 'queue_directory' not valid with action import"],
      [['-e', 'import', 'config_directory=/a b'], "Unsafe characters in parameter setting 'config_directory': '/a b'"],
      [['-e', 'import', 'config_directory=/a,b'], "Unsafe characters in parameter setting 'config_directory': '/a,b'"],
      [
        ['-e', 'create', '-I', 'postfix-x', 'data_directory=/$a'],
        "Unsafe characters in parameter setting 'data_directory': '/$a'",
      ],
      [['-e', 'init', 'a=b'], "Parameter overrides not valid with '-e init'"],
      [['-l', '-G', 'x'], "Cannot assign instance name or group without '-e assign'"],
    ] as const)
      assert.deepEqual(parseMulti(args), { kind: 'fatal', text }, args.join(' '));
  });
});

describe('postmulti', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postmulti-'));
  const primary = join(directory, 'etc');
  const second = join(directory, 'second');
  const log = join(directory, 'log');
  after(() => rmSync(directory, { recursive: true }));
  beforeEach(() => {
    for (const path of [primary, second, log]) rmSync(path, { recursive: true, force: true });
    mkdirSync(primary);
    const text = [
      'myhostname = mail.example.com',
      `queue_directory = ${directory}/queue`,
      `data_directory = ${directory}/data`,
      `maillog_file = ${log}`,
      `maillog_file_prefixes = ${directory}`,
      `meta_directory = ${primary}`,
      'mail_owner = daemon',
      '',
    ].join('\n');
    for (const name of ['main.cf', 'main.cf.proto']) writeFileSync(join(primary, name), text);
    for (const name of ['master.cf', 'master.cf.proto']) writeFileSync(join(primary, name), '');
  });

  async function multi(...args: readonly string[]): Promise<string> {
    let text = '';
    const status = await run(args, {
      stdout: (piece) => void (text += String(piece)),
      stderr: (piece) => void (text += piece),
      stdin: (async function* (): AsyncGenerator<Buffer> {})(),
      env: { MAIL_CONFIG: primary, PATH: '/usr/bin:/bin' },
      uid: process.getuid?.() ?? 0,
    });
    return `${text}${status}`;
  }
  const places = [`queue_directory=${directory}/q2`, `data_directory=${directory}/d2`];
  const create = (): Promise<string> =>
    multi('-I', 'postfix-b', '-G', 'mta', '-e', 'create', `config_directory=${second}`, ...places);

  it('lists the primary instance alone at first', async () => {
    assert.equal(await multi('-l'), `-               -               y         ${primary}\n0`);
    assert.equal(await multi('-l', '-i', 'nosuch'), '0');
  });

  it('makes an instance that nobody can reach yet, enables, renames and destroys it', async () => {
    assert.equal(await create(), '1');
    assert.match(readFileSync(log, 'utf8'), /multi_instance_enable!=yes, run 'postmulti -e init' first\.\n$/);
    assert.equal(await multi('-e', 'init'), '0');
    assert.equal(await create(), '0');
    const first = `-               -               y         ${primary}\n`;
    assert.equal(await multi('-l'), `${first}postfix-b       mta             n         ${second}\n0`);
    assert.match(
      readFileSync(join(second, 'main.cf'), 'utf8'),
      /^master_service_disable = inet\nauthorized_submit_users =/m,
    );
    assert.equal(await multi('-i', 'postfix-b', '-e', 'enable'), '0');
    assert.equal(await multi('-i', 'postfix-b', '-e', 'assign', '-I', 'postfix-c', '-G', '-'), '0');
    assert.equal(await multi('-l', '-i', 'postfix-c'), `postfix-c       -               y         ${second}\n0`);
    assert.equal(await create(), '1');
    assert.match(
      readFileSync(log, 'utf8'),
      /new config_directory=\S+ is already in use by instance \S+second, config_directory=/,
    );
    assert.equal(await multi('-i', 'postfix-c', '-e', 'disable'), '0');
    assert.equal(await multi('-i', 'postfix-c', '-e', 'destroy'), '0');
    assert.equal(await multi('-l'), `${first}0`);
    assert.deepEqual([second, join(directory, 'q2'), join(directory, 'd2')].map(existsSync), [false, false, false]);
  });

  it('does not give up the primary instance', async () => {
    await multi('-e', 'init');
    assert.equal(await multi('-i', '-', '-e', 'destroy'), '1');
    assert.match(readFileSync(log, 'utf8'), /postmulti\[\d+\]: fatal: Cannot remove the primary instance\n$/);
  });

  it('does not give up an instance that is enabled', async () => {
    await multi('-e', 'init');
    await create();
    await multi('-i', 'postfix-b', '-e', 'enable');
    for (const action of ['deport', 'destroy']) assert.equal(await multi('-i', 'postfix-b', '-e', action), '1');
    assert.match(readFileSync(log, 'utf8'), /postmulti\[\d+\]: fatal: Cannot remove enabled instances\n$/);
    assert.match(await multi('-l'), /postfix-b/);
  });

  it('destroys only what was made for the instance, and says what stays', async () => {
    await multi('-e', 'init');
    await create();
    const [queue, data] = [join(directory, 'q2'), join(directory, 'd2')];
    const foreign = [
      `${queue}/deferred/A/A1B2`,
      `${queue}/corrupt/posthorn.db-7`,
      `${queue}/public/notes`,
      `${data}/verify.db`,
      `${second}/transport`,
    ];
    for (const path of foreign) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, '');
    }
    const own = [`${queue}/posthorn.db-reserve`, `${queue}/pid/master.pid`, `${data}/master.lock`];
    for (const path of own) writeFileSync(path, '');
    const server = createServer().listen(`${queue}/public/control`);
    await once(server, 'listening');
    try {
      const stays = [`${queue}/public`, `${queue}/corrupt`, `${queue}/deferred`, queue, data, second].map(
        (path) => `postfix/postmulti-script: warning: ${path} stays: look at what it holds and remove it by hand\n`,
      );
      assert.equal(await multi('-i', 'postfix-b', '-e', 'destroy'), `${stays.join('')}0`);
      assert.deepEqual(foreign.filter(existsSync), foreign);
      assert.deepEqual(
        [...own, `${queue}/private`, `${queue}/public/control`, `${second}/main.cf`].filter(existsSync),
        [],
      );
    } finally {
      server.close();
      for (const path of [queue, data]) rmSync(path, { recursive: true });
    }
  });

  it('creates all of an instance or nothing, so that the next try finds nothing in its way', async () => {
    await multi('-e', 'init');
    const createAt = (...more: readonly string[]): Promise<string> =>
      multi('-I', 'postfix-b', '-e', 'create', `config_directory=${second}`, ...more);
    assert.equal(await createAt('queue_directory=/proc/yq', `data_directory=${directory}/d2`), '1');
    assert.match(
      readFileSync(log, 'utf8'),
      /postmulti-script\[\d+\]: fatal: queue_directory=\/proc\/yq: no files can be made/,
    );
    assert.equal(existsSync(second), false);
    const prototype = readFileSync(join(primary, 'main.cf.proto'), 'utf8');
    const main = readFileSync(join(primary, 'main.cf'), 'utf8');
    writeFileSync(join(primary, 'main.cf'), main.replace('daemon', 'nosuch'));
    assert.match(
      await createAt(...places),
      /^postfix\/postmulti-script: fatal: mail_owner = nosuch: no such user; .*\n1$/,
    );
    writeFileSync(join(primary, 'main.cf'), main);
    assert.equal(existsSync(second), false);
    rmSync(join(primary, 'main.cf.proto'));
    mkdirSync(join(primary, 'main.cf.proto'));
    assert.equal(await createAt(...places), '1');
    rmSync(join(primary, 'main.cf.proto'), { recursive: true });
    writeFileSync(join(primary, 'main.cf.proto'), prototype);
    assert.equal(await createAt(...places), '0');
    assert.deepEqual(readdirSync(second).toSorted(), ['main.cf', 'master.cf']);
  });

  it('says what is wrong with a value, without a stack', async () => {
    writeFileSync(
      join(primary, 'main.cf'),
      readFileSync(join(primary, 'main.cf'), 'utf8') + 'multi_instance_enable = maybe\n',
    );
    assert.equal(await multi('-l'), '1');
  });

  it('keeps names that are not ASCII as they are', async () => {
    await multi('-e', 'init');
    const etc = join(directory, 'ünst');
    assert.equal(await multi('-I', 'postfix-b', '-e', 'create', `config_directory=${etc}`, ...places), '0');
    assert.match(await multi('-l'), new RegExp(`postfix-b .* ${etc}\n0$`));
    rmSync(etc, { recursive: true });
  });

  it('has a name for one instance only, which is found without its beginning too', async () => {
    await multi('-e', 'init');
    const third = join(directory, 'third');
    const more = [`queue_directory=${directory}/q3`, `data_directory=${directory}/d3`];
    try {
      assert.equal(await multi('-I', 'postfix-b', '-e', 'create', `config_directory=${second}//`, ...places), '0');
      assert.equal(await multi('-l', '-i', 'b'), `postfix-b       -               n         ${second}\n0`);
      const conflict = new RegExp(
        `postmulti\\[\\d+\\]: fatal: instance ${third}, multi_instance_name=postfix-b conflicts with instance ${second}, multi_instance_name=postfix-b\n$`,
      );
      const createThird = (...name: readonly string[]): Promise<string> =>
        multi(...name, '-e', 'create', `config_directory=${third}`, ...more);
      assert.equal(await createThird('-I', 'postfix-b'), '1');
      assert.match(readFileSync(log, 'utf8'), conflict);
      assert.equal(await createThird('-I', 'postfix-c'), '0');
      assert.equal(await multi('-i', 'c', '-e', 'assign', '-I', 'postfix-b'), '1');
      assert.match(readFileSync(log, 'utf8'), conflict);
      assert.equal(await multi('-i', 'c', '-e', 'deport'), '0');
      assert.equal(await multi('-e', 'import', '-I', 'postfix-b', `config_directory=${third}`), '1');
      assert.match(readFileSync(log, 'utf8'), conflict);
      assert.equal(await multi('-e', 'import', `config_directory=${third}/`), '0');
      assert.equal(await multi('-l', '-i', 'c'), `postfix-c       -               n         ${third}\n0`);
    } finally {
      for (const path of [third, `${directory}/q3`, `${directory}/d3`]) rmSync(path, { recursive: true, force: true });
    }
  });

  it('runs the commands of the instance’s own system first, and says what it can’t run', async () => {
    const own = join(directory, 'bin');
    mkdirSync(own);
    writeFileSync(
      join(primary, 'main.cf'),
      `${readFileSync(join(primary, 'main.cf'), 'utf8')}command_directory = ${own}\n`,
    );
    assert.equal(await multi('-i', '-', '-x', 'ls-of-ours'), '1');
    assert.match(readFileSync(log, 'utf8'), /postmulti\[\d+\]: fatal: execvp ls-of-ours: No such file or directory\n$/);
    writeFileSync(join(own, 'ls-of-ours'), '#!/bin/sh\n[ "$PATH" = "${0%/*}:/usr/bin:/bin" ]\n', { mode: 0o755 });
    assert.equal(await multi('-i', '-', '-x', 'ls-of-ours'), '0');
    assert.equal(await multi('-i', '-', '-x', 'false'), '1');
  });

  it('creates an instance with what the installation has once for all of them', async () => {
    await multi('-e', 'init');
    const prototype = 'mail_owner = other\nsetgid_group = other\nmailq_path = /other\ncompatibility_level = 3.6\n';
    writeFileSync(join(primary, 'main.cf.proto'), prototype);
    writeFileSync(
      join(primary, 'main.cf'),
      `${readFileSync(join(primary, 'main.cf'), 'utf8')}sendmail_path = $command_directory/s\ncommand_directory = /c\nmailq_path =\n`,
    );
    assert.equal(await create(), '0');
    const lines = readFileSync(join(second, 'main.cf'), 'utf8').split('\n');
    assert.deepEqual(lines.slice(0, 4), [
      'mail_owner = daemon',
      '#setgid_group = other',
      '#mailq_path = /other',
      'compatibility_level = 3.6',
    ]);
    assert.deepEqual(
      lines.filter((line) => /^(sendmail_path|command_directory|meta_directory) /.test(line)).toSorted(),
      ['command_directory = /c', `meta_directory = ${primary}`, 'sendmail_path = /c/s'],
    );
  });

  it('leaves what it gives up to alternate_config_directories', async () => {
    const alternate = (): string | undefined =>
      /^alternate_config_directories = *(.*)$/m.exec(readFileSync(join(primary, 'main.cf'), 'utf8'))?.[1];
    const take = (): Promise<string> => multi('-e', 'import', `config_directory=${second}`);
    await multi('-e', 'init');
    await create();
    assert.equal(alternate(), undefined);
    assert.equal(await multi('-i', 'b', '-e', 'deport'), '0');
    assert.equal(alternate(), second);
    assert.equal(await take(), '0');
    assert.equal(alternate(), '');
    const main = readFileSync(join(primary, 'main.cf'), 'utf8');
    writeFileSync(join(primary, 'main.cf'), main.replace(/^(alternate.*=).*$/m, `$1 /a, ${second}, /b`));
    assert.equal(await multi('-i', 'b', '-e', 'destroy'), '0');
    assert.equal(alternate(), '/a /b');
  });
});
