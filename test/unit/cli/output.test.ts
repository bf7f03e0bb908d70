import assert from 'node:assert/strict';
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));
const argumentsFor = (command: readonly string[]): string[] => [
  '--disable-warning=ExperimentalWarning',
  main,
  ...command,
];

/** The exit status of a command whose standard output or error nobody reads. */
function unread(stream: 'stdout' | 'stderr', ...command: readonly string[]): Promise<number | null> {
  const stdio: SpawnOptions['stdio'] =
    stream === 'stdout' ? ['ignore', 'pipe', 'ignore'] : ['ignore', 'ignore', 'pipe'];
  const child = spawn(process.execPath, argumentsFor(command), { stdio });
  child[stream]?.destroy();
  return new Promise((resolve) => child.on('close', resolve));
}

test('a command whose complaints nobody reads fails as ever', async () => {
  assert.equal(await unread('stderr', 'postconf', '-Z'), 1);
});

test('a command whose complaints nobody reads does its work', async () => {
  const directory = mkdtempSync(`${tmpdir()}/output-`);
  writeFileSync(`${directory}/main.cf`, 'mail_name = a\nmail_name = b\n');
  assert.equal(await unread('stderr', 'postconf', '-c', directory, '-e', 'mail_name = c'), 0);
  const shown = spawnSync(process.execPath, argumentsFor(['postconf', '-c', directory, '-h', 'mail_name']));
  assert.equal(shown.stdout.toString(), 'c\n');
  rmSync(directory, { recursive: true });
});

test('a command ends quietly when nobody reads what it prints', async () => {
  assert.equal(await unread('stdout', 'postconf', '-d'), 0);
});

test('a full disk fails what prints to it, in a line', () => {
  const directory = mkdtempSync(`${tmpdir()}/output-`);
  writeFileSync(`${directory}/main.cf`, '');
  const full = openSync('/dev/full', 'w');
  for (const command of [
    ['postconf', '-d'],
    ['postmap', '-c', directory, '-q', 'a', 'inline:{a=b}'],
  ]) {
    const ran = spawnSync(process.execPath, argumentsFor(command), { stdio: ['ignore', full, 'pipe'] });
    assert.equal(ran.stderr.toString(), `${command[0]}: fatal: output write error: No space left on device\n`);
    assert.equal(ran.status, 1);
  }
  closeSync(full);
  rmSync(directory, { recursive: true });
});
