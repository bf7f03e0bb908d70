/** The house rules of lint/floors.ts are only worth something while the linter reads every file and finds a violation. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';

const project = path.resolve(import.meta.dirname, '../../..');
const binaries = path.join(project, 'node_modules/.bin');

/** Runs the linter over `src` of a folder; `text` holds what it printed, `files` how many files it says it looked at. */
function lint(folder: string): { status: number | null; files: number; text: string } {
  const oxlint = path.join(project, 'node_modules/oxlint/bin/oxlint');
  const { status, stdout, stderr } = spawnSync(process.execPath, [oxlint, '--type-aware', 'src'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${binaries}:${process.env['PATH'] ?? ''}` },
    timeout: 60_000,
  });
  const text = stdout + stderr;
  return { status, files: Number(/ on (\d+) files? /.exec(text)?.[1] ?? 0), text };
}

/** Files that hold a violation each, by path, with a word of the message that must come. */
const planted: readonly (readonly [file: string, source: string, message: string])[] = [
  ['src/address/upward.ts', `export { reply } from '#smtp';\n`, 'address/ may import only: nothing'],
  ['src/message/reading.ts', `export { readFileSync } from 'node:fs';\n`, 'message/ has no input or output'],
  ['src/cleanup/window.ts', `export { fold } from '../address/fold.ts';\n`, 'leave a folder only through #name'],
  ['src/cleanup/stranger.ts', `export { load } from 'koffi';\n`, 'only native may load koffi'],
  ['src/delivery/smtp/sibling.ts', `export { deliver } from '../local/index.ts';\n`, 'do not know each other'],
];

describe('the floors', () => {
  it('are checked in every file of src', () => {
    const sources = readdirSync(path.join(project, 'src'), { recursive: true, encoding: 'utf8' });
    const expected = sources.filter((name) => name.endsWith('.ts')).length;
    const { files, text } = lint(project);
    assert.ok(files >= expected, `the linter looked at ${files} of ${expected} files:\n${text.slice(-2000)}`);
  });

  it('let no planted violation pass', () => {
    const copy = mkdtempSync(path.join(tmpdir(), 'posthorn-floors-'));
    try {
      for (const name of ['package.json', 'tsconfig.json', 'oxlint.config.ts', 'lint']) {
        cpSync(path.join(project, name), path.join(copy, name), { recursive: true });
      }
      symlinkSync(path.join(project, 'node_modules'), path.join(copy, 'node_modules'));
      for (const [file, source] of planted) {
        mkdirSync(path.dirname(path.join(copy, file)), { recursive: true });
        writeFileSync(path.join(copy, file), source);
      }
      const { status, text } = lint(copy);
      assert.notEqual(status, 0);
      for (const [file, , message] of planted) {
        assert.ok(text.includes(file) && text.includes(message), `${file} was not found:\n${text}`);
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});
