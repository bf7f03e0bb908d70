import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceEntry } from '#config';
import { limitSessions } from '../../../src/smtpd/process-limit.ts';
import type { ServedSocket, SmtpService } from '../../../src/smtpd/server.ts';
import { stranger } from './stranger.ts';

const entry: ServiceEntry = {
  name: 'smtp',
  type: 'inet',
  isPrivate: false,
  isUnprivileged: true,
  isChrooted: false,
  wakeupSeconds: 0,
  wakeupOnDemand: false,
  processLimit: 2,
  isLimitChosen: true,
  command: 'smtpd',
  args: [],
  overrides: new Map(),
  origin: { file: 'master.cf', line: 1 },
};

function setUp(change: Partial<ServiceEntry> = {}, hasStrangers = true) {
  const served: string[] = [];
  const warnings: string[] = [];
  const clock = { at: 0 };
  const looks = { count: 0 };
  const recorder = (name: string): SmtpService => ({
    accept: () => void served.push(name),
    sessionsEnd: async () => void (looks.count += 1),
    drain: () => Promise.resolve(),
  });
  const service = limitSessions(
    { ...entry, ...change },
    {
      place: hasStrangers ? '25' : undefined,
      calm: recorder('calm'),
      stressed: () => recorder('stressed'),
      warn: (text) => warnings.push(text),
      now: () => clock.at,
    },
  );
  return { service, served, warnings, clock, looks };
}

async function end(ended: ServedSocket): Promise<void> {
  ended.destroy();
  await new Promise((resolve) => setImmediate(resolve));
}

describe('a service with a process limit', () => {
  it('has the settings of stress from the client on that takes the last place; more wait', async () => {
    const { service, served, warnings, clock } = setUp();
    const [first, ...others] = [stranger(), stranger(), stranger()];
    for (const one of [first, ...others]) if (one !== undefined) service.accept(one);
    assert.deepEqual(served, ['calm', 'stressed']);
    assert.match(warnings[0] ?? '', /service "smtp" \(25\) has reached its process limit "2"/);
    if (first !== undefined) await end(first);
    assert.deepEqual(served, ['calm', 'stressed', 'stressed']);
    for (const one of others) await end(one);
    clock.at = 2_000_000;
    service.accept(stranger());
    assert.equal(served.at(-1), 'calm');
  });

  it('knows no stress with one place, or where no stranger comes', async () => {
    for (const { service, served, warnings } of [setUp({ processLimit: 1 }), setUp({}, false)]) {
      const clients = [stranger(), stranger(), stranger()];
      for (const client of clients) service.accept(client);
      for (const client of clients) await end(client);
      assert.deepEqual(served, ['calm', 'calm', 'calm']);
      assert.deepEqual(warnings, []);
    }
  });

  it('forgets a client that went while it waited', async () => {
    const { service, served } = setUp({ processLimit: 1 });
    const [first, second] = [stranger(), stranger()];
    service.accept(first);
    service.accept(second);
    await end(second);
    await end(first);
    assert.deepEqual(served, ['calm']);
  });

  it('waits calmly for connections that outlive their sessions', async () => {
    const { service, looks } = setUp();
    const sockets = [stranger(), stranger(), stranger()];
    for (const one of sockets) service.accept(one);
    const ended = service.sessionsEnd();
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const one of sockets) await end(one);
    await ended;
    assert.ok(looks.count < 20, `${looks.count} looks`);
  });

  it('is not bounded where nobody has chosen the limit', () => {
    const { service, served, warnings } = setUp({ isLimitChosen: false, processLimit: 1 });
    for (let i = 0; i < 5; i += 1) service.accept(stranger());
    assert.equal(served.length, 5);
    assert.deepEqual(warnings, []);
  });
});
