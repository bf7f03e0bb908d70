import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '#config';
import { type EventChannel, HeldEvents, type MailEvent } from '#events';
import { createLateService } from '../../../src/smtpd/late-service.ts';
import type { SmtpService } from '../../../src/smtpd/server.ts';
import { stranger } from './stranger.ts';

/** `complaint`: what there is to say whenever the service is made; `refusal`: why it can't be. */
function setUp(state: { complaint?: string; refusal?: string }) {
  const said: string[] = [];
  const events = {
    emit: (event: MailEvent) => void said.push('text' in event ? event.text : event.kind),
  };
  const made: SmtpService[] = [];
  let accepted = 0;
  const held = new HeldEvents();
  const channel = held.channelTo(events);
  const makeBy = (speaker: EventChannel): SmtpService => {
    if (state.complaint !== undefined) speaker.emit({ kind: 'warning', text: state.complaint });
    if (state.refusal !== undefined) throw new ConfigError([state.refusal]);
    const service: SmtpService = {
      accept: () => void (accepted += 1),
      sessionsEnd: async () => undefined,
      drain: async () => undefined,
    };
    made.push(service);
    return service;
  };
  const make = () => makeBy(channel);
  const makeAnew = () => makeBy(events);
  const service = createLateService({ make, makeAnew, held, events });
  return { service, said, made, channel, accepted: () => accepted };
}

describe('a service that begins with its first client', () => {
  it('is there before it when there is nothing to complain about', () => {
    const { service, said, made, channel, accepted } = setUp({});
    assert.equal(made.length, 1);
    service.accept(stranger());
    service.accept(stranger());
    assert.deepEqual([made.length, accepted(), said], [1, 2, []]);
    channel.emit({ kind: 'warning', text: 'later' });
    assert.deepEqual(said, ['later']);
  });

  it('complains once, when the client comes', () => {
    const { service, said, accepted } = setUp({ complaint: 'a table is missing' });
    assert.deepEqual(said, []);
    service.accept(stranger());
    service.accept(stranger());
    assert.deepEqual([said, accepted()], [['a table is missing'], 2]);
  });

  it('says nothing of what is mended when the client comes', () => {
    const state: { complaint?: string } = { complaint: 'a table is missing' };
    const { service, said, accepted } = setUp(state);
    delete state.complaint;
    service.accept(stranger());
    assert.deepEqual([said, accepted()], [[], 1]);
  });

  it('is tried again for each client while it cannot be made', () => {
    const state: { refusal?: string } = { refusal: 'main.cf:3: no such thing' };
    const { service, said, accepted } = setUp(state);
    const refused = stranger();
    service.accept(refused);
    assert.equal(refused.destroyed, true);
    delete state.refusal;
    service.accept(stranger());
    assert.deepEqual([said, accepted()], [['main.cf:3: no such thing'], 1]);
  });
});
