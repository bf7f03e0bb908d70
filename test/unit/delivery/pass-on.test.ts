import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeliveryAgent } from '#message';
import { openPassage, type Passage } from '../../../src/delivery/pass-on.ts';
import { request } from './request.ts';

const agent: DeliveryAgent = { deliver: () => Promise.resolve({}) };
const agents = new Map([
  ['smtp', agent],
  ['local', agent],
  ['relay', agent],
]);

/** Where mail goes that is passed to one target after the other; 'closed' at the first that does not take it. */
function way(...targets: readonly string[]): readonly string[] {
  let at = request('here.example', ['a@here.example'], { transport: 'smtp' });
  return targets.map((target) => {
    const passage: Passage = openPassage(agents, target, at);
    if (!passage.isOpen) return `closed ${passage.status.code}`;
    at = passage.request;
    return `${at.transport} ${at.nexthop}`;
  });
}

describe('the way from one transport to another', () => {
  it('keeps the next hop where none is named', () => {
    assert.deepEqual(way('local', 'relay:[10.0.0.1]:26'), ['local here.example', 'relay [10.0.0.1]:26']);
  });

  it('may lead to the same transport and another server', () => {
    assert.deepEqual(way('smtp:[10.0.0.1]'), ['smtp [10.0.0.1]']);
    assert.deepEqual(way('local', 'smtp:[10.0.0.1]'), ['local here.example', 'smtp [10.0.0.1]']);
  });

  it('is closed where it would lead round in a circle', () => {
    assert.deepEqual(way('smtp'), ['closed 4.3.5']);
    assert.deepEqual(way('smtp:here.example'), ['closed 4.3.5']);
    assert.deepEqual(way('relay', 'smtp'), ['relay here.example', 'closed 4.3.5']);
    assert.deepEqual(way('smtp:a', 'local', 'smtp:a'), ['smtp a', 'local a', 'closed 4.3.5']);
  });

  it('is closed where there is no such transport', () => {
    assert.deepEqual(way('nosuch:a'), ['closed 4.3.0']);
  });
});
