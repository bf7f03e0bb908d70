import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openSettings } from '#config';
import { createErrorAgent } from '#delivery';
import { type MailEvent, renderPostfixText } from '#events';
import type { Outcome } from '#message';
import { statusOfNexthop } from '../../../src/delivery/nexthop-text.ts';
import { request } from './request.ts';

const bounced = { code: '5.0.0', reason: 'Address is undeliverable' };

describe('the text of error, retry and discard', () => {
  const rows: readonly (readonly [nexthop: string, code: string, reason: string])[] = [
    ['no mail here', '5.0.0', 'no mail here'],
    ['5.7.1 not for you', '5.7.1', 'not for you'],
    ['4.7.1 odd', '5.0.0', 'odd'],
    ['', '5.0.0', 'Address is undeliverable'],
    ['5.1.1', '5.1.1', ''],
    ['5.7 is no code', '5.0.0', '5.7 is no code'],
  ];
  for (const [nexthop, code, reason] of rows) {
    it(`reads "${nexthop}" as ${code} ${reason}`, () => {
      const ignored: string[] = [];
      assert.deepEqual(
        statusOfNexthop(nexthop, bounced, (ignoredCode) => ignored.push(ignoredCode)),
        { code, reason },
      );
      assert.deepEqual(ignored, /^[24]\./.test(nexthop) ? [nexthop.split(' ')[0]] : [], nexthop);
    });
  }

  it('is for notices and the queue listing some text, where a code stands alone', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'error-'));
    writeFileSync(join(directory, 'main.cf'), '');
    const log: string[] = [];
    const told: Outcome[] = [];
    const { settings } = openSettings(directory);
    const events = { emit: (event: MailEvent) => void log.push(renderPostfixText(event)) };
    const agent = createErrorAgent({ service: 'error', settings, events, now: () => 0 });
    await agent.deliver(request('5.1.1', ['a@x']), (outcome) => told.push(outcome));
    rmSync(directory, { recursive: true });
    assert.match(log[0] ?? '', /dsn=5\.1\.1, status=bounced \(\)$/);
    assert.deepEqual(
      told.map(({ status }) => status),
      [{ code: '5.1.1', reason: '(description unavailable)' }],
    );
  });
});
