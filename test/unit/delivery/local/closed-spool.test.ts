import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLocalAgent } from '#delivery/local';
import { getUserByName } from '#native';
import { request } from '../request.ts';
import { type Answer, type Asked, deliver } from '../workbench.ts';

const written: Answer = ({ kind }) => (kind === 'read' ? { kind: 'missing' } : { kind: 'ok', warnings: [] });

describe('a mailbox in a spool where only root may write', () => {
  const daemon = getUserByName('daemon');
  const askedIn = async (spool: string, actsAsRoot: boolean): Promise<Asked | undefined> => {
    const lines = `alias_maps =\nmail_spool_directory = ${spool}\n`;
    const one = request('mail.example.com', ['daemon@mail.example.com'], { transport: 'local' });
    const { asked } = await deliver(createLocalAgent, one, lines, written, actsAsRoot);
    return asked.find(({ kind }) => kind === 'mailbox');
  };

  it("is written to as root, and the user's when it has to be made", async () => {
    const asked = await askedIn('/usr', true);
    assert.ok(asked?.kind === 'mailbox');
    assert.equal(asked.uid, 0);
    assert.deepEqual(asked.newOwner, { uid: daemon?.uid, gid: daemon?.gid });
  });

  it('is written to as its user by a system that has no root, and in any other spool', async () => {
    for (const [spool, actsAsRoot] of [
      ['/usr', false],
      ['/tmp', true],
      ['/nonexistent', true],
    ] as const) {
      const asked = await askedIn(spool, actsAsRoot);
      assert.ok(asked?.kind === 'mailbox');
      assert.equal(asked.uid, daemon?.uid, spool);
      assert.equal(asked.newOwner, undefined);
    }
  });
});
