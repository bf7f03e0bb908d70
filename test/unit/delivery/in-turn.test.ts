import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeliveryAgent, DeliveryRequest } from '#message';
import { inTurn } from '../../../src/delivery/in-turn.ts';
import { request as anyRequest } from './request.ts';

interface Started {
  readonly request: DeliveryRequest;
  readonly end: () => void;
}

/** An agent whose deliveries end when the test says so. */
function heldAgent(): { readonly agent: DeliveryAgent; readonly started: Started[] } {
  const started: Started[] = [];
  const agent: DeliveryAgent = {
    deliver: (request) =>
      new Promise((resolve) => {
        started.push({ request, end: () => resolve({}) });
      }),
  };
  return { agent: inTurn(agent), started };
}

const requestOf = (queueId: string): DeliveryRequest => anyRequest('example.org', ['user@example.org'], { queueId });
const ignore = (): undefined => undefined;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('deliveries in turn', () => {
  it('starts the second delivery of a message when the first has ended', async () => {
    const { agent, started } = heldAgent();
    const first = agent.deliver(requestOf('A'), ignore);
    const second = agent.deliver(requestOf('A'), ignore);
    await turn();
    assert.equal(started.length, 1);
    started[0]?.end();
    await first;
    await turn();
    assert.equal(started.length, 2);
    started[1]?.end();
    await second;
  });

  it('lets deliveries of different messages run side by side', async () => {
    const { agent, started } = heldAgent();
    const both = ['A', 'B'].map((queueId) => agent.deliver(requestOf(queueId), ignore));
    await turn();
    assert.deepEqual(
      started.map(({ request }) => request.queueId),
      ['A', 'B'],
    );
    for (const { end } of started) end();
    await Promise.all(both);
  });

  it('does not wait long for one that does not end', async (context) => {
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const { agent, started } = heldAgent();
    const both = ['A', 'A'].map((queueId) => agent.deliver(requestOf(queueId), ignore));
    context.mock.timers.tick(100);
    await turn();
    assert.equal(started.length, 2);
    for (const { end } of started) end();
    await Promise.all(both);
  });

  it('starts a long list at once', async () => {
    const { agent, started } = heldAgent();
    const all = Array.from({ length: 20 }, () => agent.deliver(requestOf('A'), ignore));
    await turn();
    assert.ok(started.length > 10);
    while (started.length < 20) {
      for (const { end } of started) end();
      await turn();
    }
    for (const { end } of started) end();
    await Promise.all(all);
  });
});
