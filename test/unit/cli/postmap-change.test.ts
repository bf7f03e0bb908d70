import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSettings } from '#config';
import { TableOpener } from '#tables';
import { openIndex } from '../../../src/tables/index-files.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

describe('changes of a table that are made by postmap -i and -d', () => {
  let directory = '';
  let source = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-change-'));
    writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\n');
    source = join(directory, 'table');
  });
  beforeEach(() => {
    for (const name of readdirSync(directory)) if (name !== 'main.cf') rmSync(join(directory, name));
  });
  after(() => rmSync(directory, { recursive: true }));

  const running = (args: readonly string[], input: string): ChildProcess => {
    const command = [join(root, 'src/cli/main.ts'), 'postmap', '-c', directory, ...args, `hash:${source}`];
    const child = spawn(process.execPath, command, { stdio: ['pipe', 'ignore', 'inherit'] });
    child.stdin?.end(input);
    return child;
  };
  const postmap = async (args: readonly string[], input = ''): Promise<unknown> =>
    (await once(running(args, input), 'close'))[0];
  const entries = (): ReadonlyMap<string, string> => {
    const index = openIndex('hash', source);
    assert.ok(typeof index === 'object');
    const found = new Map(index.entries());
    index.close();
    return found;
  };
  /** A program that changes 50,000 entries and is killed before the end. */
  const killed = async (): Promise<void> => {
    const code = `import { changeIndex } from '#tables';
      changeIndex('hash', ${JSON.stringify(source)}, { rights: { mode: 0o644 }, mayBeNew: true }, ({ replace }) => {
        for (let i = 0; i < 50000; i += 1) replace('key' + i, 'new value ' + i);
        process.kill(process.pid, 'SIGKILL');
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { cwd: root, stdio: 'ignore' });
    const [, signal] = await once(child, 'close');
    assert.equal(signal, 'SIGKILL');
  };
  const fill = async (): Promise<void> => {
    writeFileSync(source, Array.from({ length: 50_000 }, (_, i) => `key${i} old\n`).join(''));
    assert.equal(await postmap([]), 0);
  };

  it('leave the old table when they are killed, and nothing that hinders the next one', async () => {
    await fill();
    await killed();
    assert.deepEqual([...new Set(entries().values())], ['old']);
    assert.equal(existsSync(`${source}.db-journal`), false);
    assert.equal(await postmap(['-i'], 'own 1\n'), 0);
    assert.equal(entries().get('own'), '1');
    assert.equal(entries().size, 50_001);
    assert.deepEqual(readdirSync(directory).toSorted(), ['main.cf', 'table', 'table.db']);
  });

  it('leave no table when there was none', async () => {
    await killed();
    assert.equal(existsSync(`${source}.db`), false);
    assert.equal(await postmap(['-i'], 'own 1\n'), 0);
    assert.deepEqual([...entries()], [['own', '1']]);
  });

  it('lose nothing of others that are made at the same time, also where the table is new', async () => {
    const numbers = [1, 2, 3];
    await Promise.all(numbers.map((number) => postmap(['-i'], `own${number} 1\n`)));
    assert.equal(entries().size, numbers.length);
    const removals = numbers.slice(1).map((number) => postmap(['-d', `own${number}`]));
    await Promise.all([...removals, postmap(['-i'], 'more 1\n')]);
    assert.deepEqual(
      [...entries().keys()].toSorted((a, b) => (a < b ? -1 : 1)),
      ['more', 'own1'],
    );
  });

  it('are noticed by who has the table open', async () => {
    assert.equal(await postmap(['-i'], 'own 1\n'), 0);
    const { settings } = openSettings(directory);
    const opener = new TableOpener({ settings, configDirectory: directory, warn: () => undefined });
    const table = opener.open(`hash:${source}`);
    assert.deepEqual(await table.lookup('own'), { kind: 'found', value: '1' });
    assert.equal(await postmap(['-ir'], 'own 2\n'), 0);
    assert.deepEqual(await table.lookup('own'), { kind: 'found', value: '2' });
    opener.closeAll();
  });

  it('keep mode and owner, and the file where a link leads', async () => {
    assert.equal(await postmap(['-i'], 'own 1\n'), 0);
    renameSync(`${source}.db`, join(directory, 'elsewhere.db'));
    symlinkSync('elsewhere.db', `${source}.db`);
    chmodSync(`${source}.db`, 0o640);
    if (process.getuid?.() === 0) chownSync(`${source}.db`, 54_321, 54_322);
    const { mode, uid, gid } = statSync(`${source}.db`);
    assert.equal(await postmap(['-i'], 'more 1\n'), 0);
    assert.ok(lstatSync(`${source}.db`).isSymbolicLink());
    assert.equal(entries().size, 2);
    const now = statSync(`${source}.db`);
    assert.deepEqual({ mode: now.mode, uid: now.uid, gid: now.gid }, { mode, uid, gid });
  });

  it('leave a file alone in which they find nothing to change', async () => {
    assert.equal(await postmap(['-i'], 'own 1\n'), 0);
    const { ino } = statSync(`${source}.db`);
    assert.equal(await postmap(['-d', 'other']), 1);
    assert.equal(statSync(`${source}.db`).ino, ino);
    assert.deepEqual(readdirSync(directory).toSorted(), ['main.cf', 'table.db']);
  });

  it('follow no link that somebody has put where the new file is made', async () => {
    assert.equal(await postmap(['-i'], 'own 1\n'), 0);
    writeFileSync(join(directory, 'precious'), 'text');
    symlinkSync('precious', `${source}.db.tmp`);
    assert.equal(await postmap(['-i'], 'more 1\n'), 1);
    assert.equal(readFileSync(join(directory, 'precious'), 'utf8'), 'text');
  });

  it('make a table that nobody may write to, as its source, with the rights of an ordinary user', async () => {
    const user = 54_321;
    writeFileSync(source, 'own 1\n');
    chmodSync(source, 0o444);
    if (process.getuid?.() === 0) for (const path of [source, directory]) chownSync(path, user, user);
    assert.equal(await postmap([]), 0);
    assert.equal(statSync(`${source}.db`).mode & 0o777, 0o444);
    assert.deepEqual([...entries()], [['own', '1']]);
  });

  const needsRoot = process.getuid?.() === 0 ? false : 'only root makes tables as another user';
  it('belong to who owns the file that was read, whatever has its name by then', { skip: needsRoot }, async () => {
    const user = 54_321;
    const other = join(directory, 'other');
    writeFileSync(other, 'other 1\n');
    for (const path of [directory, other]) chownSync(path, user, user);
    assert.equal(spawnSync('mkfifo', ['-m', '600', source]).status, 0);
    // a file of root's, which is another's when it has been opened
    const swap = 'exec 3>"$1"; mv "$2" "$1"; echo "secret 1" >&3';
    const writer = spawn('sh', ['-c', swap, 'sh', source, other], { stdio: 'inherit' });
    const made = postmap([]);
    await once(writer, 'close');
    await made;
    assert.equal(existsSync(`${source}.db`) && statSync(`${source}.db`).uid === user, false);
  });
});
