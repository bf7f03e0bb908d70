import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isWithin, parseRootLimits } from '../../../src/delivery/root-limits.ts';
import type { DelivererRequest } from '../../../src/delivery/deliverer-protocol.ts';

const limits = { mailboxes: ['/var/mail/root'], home: '/root' };
const mailbox = (path: string, isFileDestination = false): DelivererRequest => ({
  kind: 'mailbox',
  path,
  locks: { kinds: [], attempts: 1, delayMs: 0, staleMs: 0 },
  sizeLimit: 0,
  isFileDestination,
  owner: undefined,
});
const read = (path: string, followsLinks = false): DelivererRequest => ({ kind: 'read', paths: [path], followsLinks });

describe('what is done as root', () => {
  it("is to write to root's mailbox, and to read root's .forward", () => {
    for (const request of [
      mailbox('/var/mail/root'),
      { kind: 'maildir', path: '/var/mail/root/', hostname: 'mail' },
      read('/root/.forward+list'),
      { kind: 'enter', path: '/root' },
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
      { kind: 'enter', path: '/' },
      { kind: 'command', command: 'id', shell: '', environment: {}, directory: '', limitMs: 1 },
    ] as const)
      assert.equal(isWithin(limits, request), false, JSON.stringify(request));
  });

  it('has to be told by the supervisor', () => {
    assert.deepEqual(parseRootLimits(JSON.stringify(limits)), limits);
    for (const text of ['', 'null', '{}', '{"mailboxes":[],"home":""}']) assert.equal(parseRootLimits(text), undefined);
  });
});
