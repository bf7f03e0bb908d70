import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { getUserByName } from '#native';
import { isClosedSpool } from '../../../src/delivery/closed-spool.ts';
import { isIncluded } from '../../../src/delivery/root-includes.ts';
import { isWithin, parseRootLimits } from '../../../src/delivery/root-limits.ts';
import type { DelivererRequest } from '../../../src/delivery/deliverer-protocol.ts';

const limits = { mailboxes: ['/var/mail/root'], spool: '', home: '/root', aliasFiles: [] };
const isRoot = process.getuid?.() === 0;
const mailbox = (path: string, isFileDestination = false) =>
  ({
    kind: 'mailbox',
    path,
    locks: { kinds: [], attempts: 1, delayMs: 0, staleMs: 0 },
    sizeLimit: 0,
    isFileDestination,
    owner: undefined,
  }) as const satisfies DelivererRequest;
const read = (path: string, followsLinks = false): DelivererRequest => ({ kind: 'read', paths: [path], followsLinks });

describe('what is done as root', () => {
  it("is to write to root's mailbox, and to read root's .forward", () => {
    for (const request of [
      mailbox('/var/mail/root'),
      { kind: 'maildir', path: '/var/mail/root/', hostname: 'mail' },
      read('/root/.forward+list'),
      { kind: 'see', path: '/root' },
    ] as const)
      assert.equal(isWithin(limits, request), true, JSON.stringify(request));
  });

  it('is nothing else', () => {
    for (const request of [
      mailbox('/var/mail/root', true),
      mailbox('/root/.ssh/authorized_keys'),
      { kind: 'maildir', path: '/var/mail/root/../x', hostname: 'mail' },
      read('/root/.forward', true),
      read('/root/.forward/../.ssh/id'),
      read('/etc/shadow'),
      { kind: 'see', path: '/' },
      { kind: 'command', command: 'id', shell: '', environment: {}, directory: '', limitMs: 1 },
    ] as const)
      assert.equal(isWithin(limits, request), false, JSON.stringify(request));
  });

  it('is to write to the mailboxes of a spool where nobody else may', { skip: !isRoot && 'needs root' }, () => {
    const spool = mkdtempSync(join(tmpdir(), 'spool-'));
    chmodSync(spool, 0o755);
    const { uid, gid } = getUserByName('daemon') ?? { uid: -1, gid: -1 };
    const to = (path: string, newOwner: { uid: number; gid: number } | undefined): boolean =>
      isWithin({ ...limits, spool }, { ...mailbox(path), kind: 'mailbox', newOwner } as const);
    const box = `${spool}/daemon`;
    assert.equal(to(box, { uid, gid }), true);
    assert.equal(to(box, { uid: uid + 1, gid }), false);
    assert.equal(to(box, undefined), false);
    assert.equal(to(`${spool}/nosuchuser`, { uid, gid }), false);
    assert.equal(to(`${spool}/x/../daemon`, { uid, gid }), false);
    assert.equal(to('/etc/daemon', { uid, gid }), false);
    chmodSync(spool, 0o775);
    assert.equal(to(box, { uid, gid }), false);
    rmSync(spool, { recursive: true });
  });

  it('is nothing in a spool that can not be looked at', () => {
    const base = mkdtempSync(join(tmpdir(), 'spool-'));
    symlinkSync('circle', join(base, 'circle'));
    assert.equal(isClosedSpool(join(base, 'circle')), false);
    assert.equal(isClosedSpool(join(base, 'absent')), false);
    rmSync(base, { recursive: true });
  });

  it('is to read what its aliases include, and what is included there', () => {
    const texts: Readonly<Record<string, string>> = {
      '/etc/aliases': 'list: bob, :include:/lists/a\nquoted: ":include:/lists/my list"\n',
      '/lists/a': ':INCLUDE: /lists/b\n:include:/lists/a\n:include:relative\n',
    };
    const includes = (path: string): boolean => isIncluded(path, ['/etc/aliases'], (file) => texts[file] ?? '');
    for (const path of ['/lists/a', '/lists/b', '/lists/my list']) assert.equal(includes(path), true, path);
    for (const path of ['/etc/shadow', '/lists/a/../b', 'relative', '/lists/my'])
      assert.equal(includes(path), false, path);
  });

  it('has to be told by the supervisor', () => {
    assert.deepEqual(parseRootLimits(JSON.stringify(limits)), limits);
    for (const text of ['', 'null', '{}', '{"mailboxes":[],"home":"","aliasFiles":[]}'])
      assert.equal(parseRootLimits(text), undefined);
  });
});
