import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLocalAgent } from '#delivery/local';
import { createVirtualAgent } from '#delivery/virtual';
import { request } from './request.ts';
import { deliver } from './workbench.ts';

const answer = () => ({ kind: 'ok', warnings: [] }) as const;

describe('the limit of mailboxes', () => {
  const to = request('example.com', ['nobody@mail.example.com']);
  const rows = [
    ['mailbox_size_limit', createLocalAgent, '51200001', 'is smaller than message_size_limit'],
    ['mailbox_size_limit', createLocalAgent, '0', 'is limited but message_size_limit is unlimited'],
    ['virtual_mailbox_limit', createVirtualAgent, '51200001', 'is smaller than message_size_limit'],
    ['virtual_mailbox_limit', createVirtualAgent, '0', 'is limited but message_size_limit is unlimited'],
  ] as const;
  for (const [name, create, size, problem] of rows) {
    it(`${name} below message_size_limit = ${size} keeps all mail waiting`, async () => {
      const lines = `message_size_limit = ${size}\n`;
      const { outcomes, log, asked } = await deliver(create, to, lines, answer);
      assert.deepEqual(
        outcomes.map(({ kind, status }) => [kind, status.code]),
        [['deferred', '4.3.0']],
      );
      assert.equal(log[0], `fatal: configuration error: ${name} ${problem}`);
      assert.deepEqual(asked, []);
      const free = await deliver(create, to, `${lines}${name} = 0\n`, answer);
      assert.doesNotMatch(free.log.join('\n'), /fatal/);
    });
  }
});
