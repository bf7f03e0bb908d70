import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DelivererResult } from '../../../src/delivery/deliverer-protocol.ts';
import { DelivererWork } from '../../../src/delivery/deliverer-work.ts';
import { callsInPlace, callsInThreads } from '../../../src/delivery/file-calls.ts';

const locks = { kinds: ['fcntl', 'dotlock'], attempts: 3, delayMs: 30, staleMs: 500_000 };

async function* message(text: string, pieces = 1): AsyncGenerator<Buffer> {
  for (let i = 0; i < pieces; i += 1) {
    yield Buffer.from(text);
    await new Promise((resolve) => void setImmediate(resolve));
  }
}

const told = (result: DelivererResult): string =>
  'reason' in result ? `${result.kind} ${result.reason}` : result.kind;

for (const [name, calls] of [
  ['in place', callsInPlace()],
  ['in threads', callsInThreads],
] as const) {
  describe(`mailbox files written ${name}`, () => {
    let directory = '';
    before(() => {
      directory = mkdtempSync(join(tmpdir(), 'mailbox-'));
    });
    after(() => {
      rmSync(directory, { recursive: true });
    });
    const work = new DelivererWork(calls);
    const append = (path: string, content = message('x\n'), isFileDestination = false): Promise<DelivererResult> =>
      work.run({ kind: 'mailbox', path, locks, sizeLimit: 0, owner: undefined, isFileDestination }, content);

    it('hold all of many messages at once, each in one piece', async () => {
      const path = join(directory, 'many');
      const texts = Array.from({ length: 20 }, (_, i) => `${String(i).padStart(3, '0')}\n`);
      const results = await Promise.all(texts.map((text) => append(path, message(text, 5))));
      assert.ok(results.every(({ kind }) => kind === 'ok'));
      assert.equal(readFileSync(path, 'latin1'), texts.map((text) => text.repeat(5)).join(''));
      assert.ok(!existsSync(`${path}.lock`));
    });

    it('hold each in one piece also where they are named in two ways and have no lock file', async () => {
      const path = join(directory, 'spelled');
      writeFileSync(path, '');
      const other = `${directory}/./spelled`;
      const onlyFcntl = { ...locks, kinds: ['fcntl'], attempts: 100 };
      const write = (to: string, text: string): Promise<DelivererResult> => {
        const target = { path: to, locks: onlyFcntl, sizeLimit: 0, owner: undefined, isFileDestination: true };
        return work.run({ kind: 'mailbox', ...target }, message(text, 5));
      };
      await Promise.all([write(path, 'a\n'), write(other, 'b\n')]);
      assert.match(readFileSync(path, 'latin1'), /^(a\n){5}(b\n){5}$|^(b\n){5}(a\n){5}$/);
    });

    it('are waited for once when another program holds the lock, however many wait', async () => {
      const path = join(directory, 'locked');
      writeFileSync(`${path}.lock`, '');
      let attempts = 0;
      const counting = new DelivererWork({
        ...calls,
        open: (file, flags, mode) => {
          attempts += 1;
          return calls.open(file, flags, mode);
        },
      });
      const target = { path, locks, sizeLimit: 0, owner: undefined, isFileDestination: false };
      const all = Array.from({ length: 10 }, () => counting.run({ kind: 'mailbox', ...target }, message('x\n')));
      const texts = new Set((await Promise.all(all)).map(told));
      assert.deepEqual([...texts], [`failed unable to create lock file ${path}.lock: File exists`]);
      assert.equal(attempts, 3 + 9);
    });

    it('are no pipes that nobody reads, and nobody waits for one', async () => {
      const path = join(directory, 'pipe');
      execFileSync('mkfifo', [path]);
      assert.equal(
        told(await append(path, message('x\n'), true)),
        'failed cannot open file: No such device or address',
      );
    });

    it('are opened where somebody has made them meanwhile, and not where a link leads nowhere', async () => {
      const path = join(directory, 'raced');
      const racing = new DelivererWork({
        ...calls,
        open: (file, flags, mode) => {
          if (file === path && mode !== undefined) writeFileSync(path, 'theirs\n');
          return calls.open(file, flags, mode);
        },
      });
      const target = { path, locks, sizeLimit: 0, owner: undefined, isFileDestination: false };
      assert.equal((await racing.run({ kind: 'mailbox', ...target }, message('ours\n'))).kind, 'ok');
      assert.equal(readFileSync(path, 'latin1'), 'theirs\nours\n');
      symlinkSync(join(directory, 'nothing'), join(directory, 'link'));
      assert.equal(told(await append(join(directory, 'link'))), 'failed cannot open file: No such file or directory');
    });
  });
}
