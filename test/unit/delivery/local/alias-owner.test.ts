import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createLocalAgent } from '#delivery/local';
import { getUserByName } from '#native';
import { writeIndex } from '#tables';
import { request } from '../request.ts';
import { type Answer, deliver, endedWell } from '../workbench.ts';

const isRoot = process.getuid?.() === 0;
const skip = isRoot ? false : 'files are given to other users: needs root';
const done: Answer = () => endedWell;
const toA = request('mail.example.com', ['a@mail.example.com'], { transport: 'local' });

describe('commands in an alias table', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'alias-owner-'));
  });
  after(() => {
    rmSync(directory, { recursive: true });
  });

  /** `texthash:` of a file that is this user's. */
  function ownedBy(uid: number, name = `of-${uid}`): string {
    const path = join(directory, name);
    writeFileSync(path, 'a "|true"\n');
    chownSync(path, uid, uid);
    return `texthash:${path}`;
  }

  /** As whom the command ran, and why the mail waits. */
  async function delivered(tables: string, afterOpening: () => void = () => undefined) {
    const { asked, log, outcomes } = await deliver(
      (parts) => {
        const agent = createLocalAgent(parts);
        afterOpening();
        return agent;
      },
      toA,
      `alias_maps = ${tables}\n`,
      done,
    );
    const reasons = outcomes.flatMap(({ kind, status }) =>
      kind === 'deferred' ? [`${status.code} ${status.reason}`] : [],
    );
    const warnings = log.filter((line) => line.startsWith('warning: '));
    return { ranAs: asked.map(({ uid }) => uid), reasons, warnings: warnings.join('\n') };
  }

  it("run with the rights of its owner, root's and those in main.cf as default_privs", { skip }, async () => {
    const nobody = getUserByName('nobody')?.uid;
    assert.deepEqual((await delivered(ownedBy(1))).ranAs, [1]);
    assert.deepEqual((await delivered(`unionmap:{${ownedBy(1)},inline:{b=c}}`)).ranAs, [1]);
    assert.deepEqual((await delivered(ownedBy(0))).ranAs, [nobody]);
    assert.deepEqual((await delivered('inline:{{a=|true}}')).ranAs, [nobody]);
  });

  it('wait when nobody is its owner, or two are', { skip }, async () => {
    const stranger = await delivered(ownedBy(4_242_424));
    assert.deepEqual([stranger.ranAs, stranger.reasons], [[], ['4.3.0 cannot find alias database owner']]);
    assert.match(stranger.warnings, /cannot find alias database owner for texthash:\/.*\/of-4242424$/);
    const both = await delivered(`unionmap:{${ownedBy(1)},${ownedBy(2)}}`);
    assert.deepEqual([both.ranAs, both.reasons], [[], ['4.3.0 mail system configuration error']]);
    assert.match(both.warnings, /warning: deliver_alias: no owner UID for alias database unionmap:\{/);
  });

  it('gain no rights from a file that comes into its place, nor from one beside it', { skip }, async () => {
    const index = join(directory, 'index');
    ownedBy(2, 'other');
    for (const [type, suffix] of [
      ['hash', '.db'],
      ['cdb', '.cdb'],
    ] as const) {
      writeIndex(type, index, new Map([['a', '"|true"']]), { mode: 0o644, owner: { uid: 1, gid: 1 } });
      const swap = (): void => {
        rmSync(index + suffix);
        symlinkSync(join(directory, 'other'), index + suffix);
      };
      assert.deepEqual((await delivered(`${type}:${index}`, swap)).ranAs, [1], type);
      rmSync(index + suffix);
    }
    const table = ownedBy(1, 'text');
    ownedBy(2, 'text.db');
    assert.deepEqual((await delivered(table)).ranAs, [1]);
  });
});
