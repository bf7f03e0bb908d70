/**
 * Deliveries of one message to mailboxes and commands of this machine, one after the other: the log tells of recipients
 * in the order in which they were started, as Postfix's does on a machine that isn't busy.
 *
 * A slow one holds up the next only for a moment, and a long list not at all.
 */
import type { DeliveryAgent } from '#message';

const patienceMs = 100;
const longestLine = 8;

interface Line {
  last: Promise<unknown>;
  count: number;
}

function endedOrLate(earlier: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    void earlier.finally(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** The agent, with the deliveries of each message in turn. */
export function inTurn(agent: DeliveryAgent): DeliveryAgent {
  const lines = new Map<string, Line>();
  return {
    async deliver(request, report) {
      const { queueId } = request;
      const line = lines.get(queueId) ?? { last: Promise.resolve(), count: 0 };
      lines.set(queueId, line);
      const earlier = line.last;
      const { promise, resolve } = Promise.withResolvers<void>();
      line.last = promise;
      line.count += 1;
      try {
        if (line.count > 1 && line.count <= longestLine) await endedOrLate(earlier);
        return await agent.deliver(request, report);
      } finally {
        resolve();
        line.count -= 1;
        if (line.count === 0) lines.delete(queueId);
      }
    },
    close: () => agent.close?.(),
  };
}
