import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MailEvent, renderPostfixText } from '#events';
import { Anvil } from '../../../src/smtpd/anvil.ts';

describe('the statistics of clients', () => {
  const lasting = { rateTimeUnitMs: 60_000, statusUpdateMs: 600_000, idleMs: 600_000, now: () => 0 };

  it('are told when there has been no client for a while, and counting begins anew', async () => {
    const log: string[] = [];
    let onReport = (): void => undefined;
    const emit = (event: MailEvent): void => {
      if (event.kind !== 'statistics') return;
      log.push(`${event.name} ${event.figure}`);
      if (event.name === 'max cache size') onReport();
    };
    const anvil = new Anvil({ ...lasting, idleMs: 1, events: { emit } });
    // the timer of the statistics keeps no process alive
    const alive = setInterval(() => {}, 1000);
    for (let round = 0; round < 2; round += 1) {
      const told = new Promise<void>((resolve) => (onReport = resolve));
      anvil.connect('smtp:192.0.2.1');
      anvil.disconnect('smtp:192.0.2.1');
      await told;
    }
    clearInterval(alive);
    const once = ['max connection rate 1/60s', 'max connection count 1', 'max cache size 1'];
    assert.deepEqual(log, [...once, ...once]);
  });

  it('are told when the last service ends', () => {
    const log: string[] = [];
    const anvil = new Anvil({ ...lasting, events: { emit: (event) => void log.push(event.kind) } });
    anvil.join();
    anvil.join();
    anvil.count('smtp:192.0.2.1', 'message');
    anvil.leave();
    assert.deepEqual(log, []);
    anvil.leave();
    assert.deepEqual(log, ['statistics', 'statistics']);
  });

  it('are told a while after the first event, also when nothing more happens', async () => {
    const log: string[] = [];
    const told = Promise.withResolvers<void>();
    const emit = (event: MailEvent): void => {
      log.push(renderPostfixText(event));
      if (event.kind === 'statistics' && event.name === 'max cache size') told.resolve();
    };
    const anvil = new Anvil({ ...lasting, statusUpdateMs: 1, events: { emit } });
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
