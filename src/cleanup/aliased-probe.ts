/** An address probe whose address stands for several ones: that is answer enough, and it goes to nobody. verify(8) */
import type { MailEvent } from '#events';
import type { Status } from '#message';

export const aliased: Status = { code: '2.0.0', reason: 'aliased to multiple recipients' };

/** What is logged: a delivery that took no time and went nowhere. `at`: ms since the epoch. */
export function aliasedDelivery(queueId: string, recipient: string, at: number): MailEvent {
  return {
    kind: 'delivery',
    queueId,
    recipient,
    original: '',
    relay: 'none',
    times: [at, at, at, at, at],
    code: aliased.code,
    outcome: 'deliverable',
    text: aliased.reason,
  };
}
