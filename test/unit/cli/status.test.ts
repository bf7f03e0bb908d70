import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { statusText } from '../../../src/cli/status.ts';

describe('posthorn status', () => {
  it('shows each destination, what it waits for and until when', () => {
    const text = statusText(
      {
        active: 2,
        transports: [
          {
            transport: 'smtp',
            busy: 1,
            destinations: [
              { nexthop: 'a.example', waiting: 3, busy: 1, window: 5, waitReason: 'destination-limit' },
              {
                nexthop: 'down.example',
                waiting: 1,
                busy: 0,
                window: 1,
                waitReason: 'dead-destination',
                nextMoment: 61_000,
              },
            ],
          },
        ],
        unread: [{ queueId: 'ABC', recipients: 7 }],
      },
      1000,
    );
    assert.equal(
      text,
      `2 active messages
transport  destination   busy  waiting  window  waits for
smtp       a.example        1        3       5  destination limit
smtp       down.example     0        1       1  does not answer, goes on in 60s
ABC: 7 recipients wait for room in memory
`,
    );
  });

  it('says so when there is nothing to do', () => {
    assert.equal(statusText({ active: 0, transports: [], unread: [] }, 0), '0 active messages\n');
  });
});
