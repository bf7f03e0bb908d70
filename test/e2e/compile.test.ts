import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';

const project = join(import.meta.dirname, '../..');

describe('the launchers', () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'posthorn-compiled-'));
    for (const part of ['bin', 'scripts', 'src', 'package.json'])
      cpSync(join(project, part), join(copy, part), { recursive: true, verbatimSymlinks: true });
    symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  async function runIn(env: NodeJS.ProcessEnv, command: string, ...args: readonly string[]) {
    const child = spawn(join(copy, 'bin', command), args, { stdio: ['ignore', 'pipe', 'pipe'], env });
    const [output, complaints, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    return { status: Number(status), output, complaints };
  }

  const run = (command: string, ...args: readonly string[]) => runIn(process.env, command, ...args);

  const current = (): string => readFileSync(join(copy, 'dist/current'), 'utf8').trim();

  const builds = (): readonly string[] => readdirSync(join(copy, 'dist')).filter((name) => /^\d/.test(name));

  async function mailName(): Promise<string> {
    return (await run('postconf', '-dh', 'mail_name')).output;
  }

  function changeSource(path: string, change: (source: string) => string): void {
    const file = join(copy, 'src', path);
    const { atime, mtime } = statSync(file);
    writeFileSync(file, change(readFileSync(file, 'utf8')));
    // as it comes out of an archive
    utimesSync(file, atime, mtime);
  }

  it('compile once, however many come at the same time', async () => {
    const answers = await Promise.all([1, 2, 3].map(mailName));
    assert.deepEqual(answers, ['Postfix\n', 'Postfix\n', 'Postfix\n']);
    assert.equal(builds().length, 1);
    await mailName();
    assert.equal(builds().length, 1);
  });

  it('are the command that links of other names lead to, as alternatives have them', async () => {
    mkdirSync(join(copy, 'usr'));
    symlinkSync('../bin/postconf', join(copy, 'usr/postconf.postfix'));
    symlinkSync('postconf.postfix', join(copy, 'usr/mta'));
    symlinkSync(join(copy, 'usr/mta'), join(copy, 'usr/anything'));
    for (const name of ['postconf.postfix', 'mta', 'anything'])
      assert.equal((await run(`../usr/${name}`, '-dh', 'mail_name')).output, 'Postfix\n', name);
  });

  it('run what the sources say now, however old a changed file says that it is', async () => {
    await mailName();
    changeSource('cli/postconf.ts', (source) =>
      source.replace(/(export async function run\([^{]*\{)/s, "$1 io.stdout('changed ');"),
    );
    assert.equal(await mailName(), 'changed Postfix\n');
  });

  it('see what changes while the code is put together', async () => {
    await mailName();
    const begun = statSync(join(copy, 'dist', current(), 'begun')).ctimeMs;
    assert.ok(begun < statSync(join(copy, 'dist', current(), 'main.js')).mtimeMs);
  });

  /** As if code had been made so many times more. */
  function addBuilds(count: number): void {
    for (let i = 0; i < count; i += 1) mkdirSync(join(copy, `dist/99990101-00000${i}-1`), { recursive: true });
  }

  it('keep the code that was made last, and not all', async () => {
    addBuilds(6);
    await mailName();
    assert.equal(builds().length, 5);
    assert.ok(builds().includes(current()));
  });

  it('keep the code of systems that run, however much was made since', async () => {
    await mailName();
    const first = current();
    const system = spawn(process.execPath, ['-', join(copy, 'dist', first, 'main.js')], { stdio: 'pipe' });
    await once(system, 'spawn');
    addBuilds(5);
    await run('posthorn', 'compile');
    const meanwhile = builds();
    system.stdin.end();
    await once(system, 'exit');
    await run('posthorn', 'compile');
    assert.ok(meanwhile.includes(first));
    assert.ok(!builds().includes(first));
  });

  it('run what they have where find is not installed', async () => {
    await mailName();
    const tools = join(copy, 'tools');
    mkdirSync(tools);
    symlinkSync('/usr/bin/readlink', join(tools, 'readlink'));
    const { output, complaints } = await runIn({ PATH: tools }, 'postconf', '-dh', 'mail_name');
    assert.deepEqual([output, complaints, builds().length], ['Postfix\n', '', 1]);
  });

  for (const [place, isUsed] of [
    ['node_modules', true],
    ['shared', false],
  ] as const) {
    it(`${isUsed ? 'use' : 'do not use'} a runtime that lies beside them in a directory named ${place}`, async () => {
      const above = join(copy, 'below', place);
      cpSync(join(project, 'bin'), join(above, 'posthorn/bin'), { recursive: true, verbatimSymlinks: true });
      mkdirSync(join(above, 'node-linux-any/bin'), { recursive: true });
      writeFileSync(join(above, 'node-linux-any/bin/node'), '#!/bin/sh\necho beside\n', { mode: 0o755 });
      const { stdout } = spawnSync(join(above, 'posthorn/bin/postconf'), { encoding: 'utf8' });
      assert.equal(stdout, isUsed ? 'beside\n' : '');
    });
  }

  it('run the sources as they stand where nothing can be put', async () => {
    writeFileSync(join(copy, 'dist'), '');
    assert.equal(await mailName(), 'Postfix\n');
    const { status, complaints } = await run('posthorn', 'compile');
    assert.equal(status, 1);
    assert.match(complaints, /dist/);
  });

  it('run the sources as they stand where one of them is broken, which posthorn compile says', async () => {
    changeSource('cli/qshape.ts', () => 'const = 1;\n');
    assert.equal(await mailName(), 'Postfix\n');
    assert.ok(existsSync(join(copy, 'dist/cache')), 'what the engine keeps stays within the installation');
    const { status, complaints } = await run('posthorn', 'compile');
    assert.equal(status, 1);
    assert.match(complaints, /src\/cli\/qshape\.ts:1:6/);
  });
});
