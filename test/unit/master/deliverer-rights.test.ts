import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { loadConfiguration } from '#config';
import { getGroupByName, getUserByName } from '#native';
import { delivererRights } from '../../../src/master/deliverer-rights.ts';

describe('the rights of a process that delivers', () => {
  const base = mkdtempSync(join(tmpdir(), 'rights-'));
  after(() => rmSync(base, { recursive: true }));

  const daemon = getUserByName('daemon') ?? { uid: 1, gid: 1 };
  const bin = getUserByName('bin') ?? { uid: 2, gid: 2 };
  const disk = getGroupByName('disk')?.gid ?? 6;
  /** Nobody's, as far as the user database knows. */
  const stranger = 54_321;

  function rights(settings: string, services: string): (uid: number, gid: number) => boolean {
    writeFileSync(join(base, 'main.cf'), `mail_owner = daemon\nsetgid_group = daemon\n${settings}`);
    writeFileSync(join(base, 'master.cf'), services);
    const allows = delivererRights(loadConfiguration(base));
    return (uid, gid) => allows({ uid, gid });
  }
  const local = 'local unix - n n - - local\n';
  const virtual = 'virtual unix - n n - - virtual\n';

  it("are a user's own, with the group that the user database has", () => {
    const allows = rights('', local + virtual);
    assert.ok(allows(bin.uid, bin.gid));
    assert.ok(!allows(bin.uid, disk));
    assert.ok(!allows(bin.uid, daemon.gid));
    assert.ok(!allows(stranger, stranger));
    assert.ok(allows(65_534, 65_534));
  });

  it("are never root's", () => {
    const allows = rights(
      'virtual_uid_maps = static:0\nvirtual_gid_maps = static:0\nvirtual_minimum_uid = 1\n',
      virtual,
    );
    for (const [uid, gid] of [
      [0, 0],
      [0, bin.gid],
      [bin.uid, 0],
    ] as const)
      assert.ok(!allows(uid, gid));
  });

  it('are with the group of a mail spool where it may write, and not everybody', () => {
    const spool = mkdtempSync(join(base, 'spool-'));
    const isRoot = process.getuid?.() === 0;
    if (isRoot) chownSync(spool, 0, disk);
    const { gid } = statSync(spool);
    chmodSync(spool, 0o2775);
    const allows = rights(`mail_spool_directory = ${spool}\n`, local);
    assert.equal(allows(bin.uid, gid), gid !== 0);
    assert.ok(!allows(stranger, gid));
    for (const mode of [0o2777, 0o2755]) {
      chmodSync(spool, mode);
      assert.ok(!allows(bin.uid, gid));
    }
  });

  it('are those of user= of pipe(8), unless it would not run a command so', () => {
    const pipe = (user: string): string => `x unix - n n - - pipe user=${user} argv=/bin/true\n`;
    assert.ok(rights('', pipe('bin:disk'))(bin.uid, disk));
    assert.ok(!rights('', pipe('bin:disk'))(stranger, disk));
    assert.ok(!rights('', pipe('bin:daemon'))(bin.uid, daemon.gid));
    assert.ok(!rights('', pipe('nosuchuser:disk'))(bin.uid, disk));
  });

  it('are what static tables of virtual(8) give, whoever that is', () => {
    const maps = 'virtual_uid_maps = static:54321\nvirtual_gid_maps = proxy:static:54322\n';
    assert.ok(rights(maps, virtual)(stranger, 54_322));
    assert.ok(!rights(maps, virtual)(stranger, disk));
    assert.ok(!rights(maps, virtual)(54_322, 54_322));
    assert.ok(!rights(maps, local)(stranger, 54_322));
    assert.ok(!rights(`${maps}virtual_minimum_uid = 60000\n`, virtual)(stranger, 54_322));
    const own = 'v unix - n n - - virtual -o virtual_gid_maps=static:7777\n';
    assert.ok(rights(maps, own)(stranger, 7777));
  });

  it("are anybody's for other tables of virtual(8), but not with groups of the system", () => {
    const maps = `virtual_uid_maps = hash:${base}/uids\nvirtual_gid_maps = hash:${base}/gids, static:5000\n`;
    const allows = rights(maps, virtual);
    assert.ok(allows(stranger, 54_322));
    assert.ok(allows(stranger, 5000));
    assert.ok(!allows(99, 54_322));
    for (const gid of [0, disk, daemon.gid]) assert.ok(!allows(stranger, gid));
  });
});
