import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createVirtualAgent } from '#delivery/virtual';
import { request } from './request.ts';
import { type Asked, deliver } from './workbench.ts';

const settings = `virtual_mailbox_base = /var/mail
virtual_mailbox_domains = v.example
virtual_mailbox_maps = inline:{up@v.example=../other/up,down@v.example=x/../down/}
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
`;

describe('virtual mailboxes', () => {
  const pathFor = async (address: string): Promise<unknown> => {
    const { asked } = await deliver(createVirtualAgent, request('v.example', [address]), settings, () => ({
      kind: 'ok',
      warnings: [],
    }));
    return asked.map((one: Asked) => 'path' in one && [one.kind, one.path]);
  };

  it('are where the table says, be it outside of virtual_mailbox_base', async () => {
    assert.deepEqual(await pathFor('up@v.example'), [['mailbox', '/var/mail/../other/up']]);
    assert.deepEqual(await pathFor('down@v.example'), [['maildir', '/var/mail/x/../down/']]);
  });

  it('are found by a key without domain where it is $myorigin, or in mydestination', async () => {
    const pathsBy = async (line: string): Promise<number> => {
      const lines = `${settings}${line}\nvirtual_mailbox_maps = inline:{bare=bare}\n`;
      const answer = { kind: 'ok', warnings: [] } as const;
      const { asked } = await deliver(
        createVirtualAgent,
        request('v.example', ['bare@v.example']),
        lines,
        () => answer,
      );
      return asked.length;
    };
    assert.equal(await pathsBy('myorigin = v.example'), 1);
    assert.equal(await pathsBy('mydestination = v.example'), 1);
    assert.equal(await pathsBy('myorigin = other.example'), 0);
  });

  it('bounce as a mistake of the configuration where something else stands in their place', async () => {
    const { outcomes, log } = await deliver(
      createVirtualAgent,
      request('v.example', ['up@v.example']),
      settings,
      () => ({
        kind: 'failed',
        code: '',
        reason: 'destination is not a regular file',
        warnings: [],
        isNotRegular: true,
      }),
    );
    const path = '/var/mail/../other/up';
    assert.deepEqual(
      outcomes.map(({ kind, status }) => [kind, status.code, status.reason]),
      [['bounced', '5.3.5', `delivery failed to mailbox ${path}: mail system configuration error`]],
    );
    assert.equal(log[0], `warning: recipient up@v.example: destination ${path} is not a regular file`);
  });
});
