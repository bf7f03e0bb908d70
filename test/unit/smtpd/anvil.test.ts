import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MailEvent, renderPostfixText } from '#events';
import { Anvil } from '../../../src/smtpd/anvil.ts';

describe('the statistics of clients', () => {
  it('are told a while after the first event, also when nothing more happens', async () => {
    const log: string[] = [];
    const told = Promise.withResolvers<void>();
    const emit = (event: MailEvent): void => {
      log.push(renderPostfixText(event));
      if (event.kind === 'statistics' && event.name === 'max cache size') told.resolve();
    };
    const anvil = new Anvil({ rateTimeUnitMs: 60_000, statusUpdateMs: 1, events: { emit }, now: () => 0 });
    anvil.connect('smtp:192.0.2.1');
    anvil.connect('smtp:192.0.2.1');
    // the timer of the statistics keeps no process alive
    const alive = setInterval(() => {}, 1000);
    await told.promise;
    clearInterval(alive);
    assert.deepEqual(
      log.map((line) => line.replace(/ at .*/, '')),
      [
        'statistics: max connection rate 2/60s for (smtp:192.0.2.1)',
        'statistics: max connection count 2 for (smtp:192.0.2.1)',
        'statistics: max cache size 1',
      ],
    );
    anvil.report();
    assert.equal(log.length, 3);
  });
});
