import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Roster } from '#message';

describe('a roster', () => {
  it('keeps what is set by key, in the order in which it came', () => {
    const roster = new Roster<string, number>();
    roster.set('b', 1);
    roster.set('a', 2);
    roster.set('b', 3);
    assert.equal(roster.size, 2);
    assert.equal(roster.get('b'), 3);
    assert.ok(roster.has('a'));
    assert.deepEqual([...roster.values()], [3, 2]);
  });

  it('gives what is taken out, once', () => {
    const roster = new Roster<number, string>();
    roster.set(1, 'one');
    assert.equal(roster.delete(1), 'one');
    assert.equal(roster.delete(1), undefined);
    assert.equal(roster.get(1), undefined);
    assert.ok(!roster.has(1));
    assert.equal(roster.size, 0);
  });

  it('is empty when it was cleared', () => {
    const roster = new Roster<number, string>();
    roster.set(1, 'one');
    roster.clear();
    assert.deepEqual([roster.size, [...roster.values()]], [0, []]);
  });

  it('may be emptied while it is gone through', () => {
    const roster = new Roster<number, number>();
    for (const key of [1, 2, 3]) roster.set(key, key);
    const seen: number[] = [];
    for (const value of roster.values()) {
      seen.push(value);
      roster.delete(value + 1);
    }
    assert.deepEqual(seen, [1, 3]);
  });
});
