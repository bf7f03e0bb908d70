import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { createSessionNotifier } from '#bounce';
import { openSettings, parseMainFile } from '#config';
import type { SubmissionPort, SubmissionResult } from '#message';

describe('a notice about a session', () => {
  const { settings } = openSettings('/nowhere', { main: parseMainFile('main.cf', 'myhostname = mail.example.com\n') });
  const notice = { peer: 'c.example[192.0.2.1]', lines: ['In:  QUIT'], reason: '', isBounce: false };
  /** What is warned of, and the recipients. */
  const notify = async (end: () => Promise<SubmissionResult>) => {
    const warnings: string[] = [];
    const recipients: string[] = [];
    const submission: SubmissionPort = {
      open: () => ({
        queueId: 'ABC',
        addRecipient: ({ address }) => void recipients.push(address),
        apply: () => undefined,
        write: () => undefined,
        end,
        abort: () => undefined,
      }),
    };
    const warn = (text: string): void => void warnings.push(text);
    createSessionNotifier({ speaker: 'SMTP server', submission, settings, warn, now: () => 0 })(notice);
    await setImmediate();
    return { warnings, recipients };
  };

  it('that is refused is not told of again after cleanup has', async () => {
    const refused = { kind: 'refused', code: 451, dsn: '4.3.0', text: 'write error', isRuleText: false } as const;
    assert.deepEqual(await notify(() => Promise.resolve(refused)), { warnings: [], recipients: ['postmaster'] });
  });

  it('that fails is told of', async () => {
    const { warnings } = await notify(() => Promise.reject(new Error('no disk')));
    assert.deepEqual(warnings, ['postmaster notify: no disk']);
  });
});
