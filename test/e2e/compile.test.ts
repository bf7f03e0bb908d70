import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { mailEngineOptions } from '#master';

const entry = join(import.meta.dirname, '../../src/cli/main.ts');

describe('posthorn compile', () => {
  let kept: string;
  before(() => {
    kept = mkdtempSync(join(tmpdir(), 'posthorn-compiled-'));
  });
  after(() => rmSync(kept, { recursive: true, force: true }));

  async function posthorn(args: readonly string[], cache: string) {
    const options = args[1] === 'mail' ? mailEngineOptions : [];
    const child = spawn(process.execPath, [...options, entry, ...args], {
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: cache, NODE_COMPILE_CACHE_PORTABLE: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [[status], complaints] = await Promise.all([once(child, 'exit'), text(child.stderr)]);
    return { status: Number(status), complaints };
  }

  const files = (): number => readdirSync(kept, { recursive: true }).length;

  it('leaves nothing to compile for commands and processes', async () => {
    assert.equal((await posthorn(['posthorn', 'compile'], kept)).status, 0);
    const compiled = files();
    assert.ok(compiled > 1000, `${compiled} files are kept`);
    for (const args of [
      ['postconf', '-d', 'mail_version'],
      ['postqueue', '-h'],
      ['sendmail', '-bv', '-x'],
      ['load', 'mail'],
    ])
      await posthorn(args, kept);
    assert.equal(files(), compiled);
  });

  it('says so where nothing can be kept', async () => {
    const { status, complaints } = await posthorn(['posthorn', 'compile'], '/dev/null/nowhere');
    assert.equal(status, 1);
    assert.match(complaints, /compiled code can not be kept/);
  });
});
