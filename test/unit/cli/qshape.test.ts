import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { QueueShape, type ShapeRules } from '../../../src/cli/qshape/shape.ts';
import { shapeTable } from '../../../src/cli/qshape/table.ts';

const rules: ShapeRules = { buckets: 10, tickMinutes: 5, isLinear: false, withParents: false, minSubdomains: 5 };
const minutes = 60_000;

describe('the shape of a queue', () => {
  it('counts addresses by domain and age, each group twice as old', () => {
    const shape = new QueueShape(rules);
    const ages = [0, 4.9, 5, 9.9, 10, 20, 40, 1279, 1280, 100_000];
    for (const age of ages) shape.add('user@Example.com', age * minutes);
    shape.add('', 0);
    assert.deepEqual(shape.rows(), [
      { name: 'TOTAL', counts: [11, 3, 2, 1, 1, 1, 0, 0, 0, 1, 2] },
      { name: 'example.com', counts: [10, 2, 2, 1, 1, 1, 0, 0, 0, 1, 2] },
      { name: 'MAILER-DAEMON', counts: [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
    ]);
  });

  it('has groups of one width with -l', () => {
    const shape = new QueueShape({ ...rules, isLinear: true, buckets: 3 });
    for (const age of [0, 6, 11, 99]) shape.add('a@b.example', age * minutes);
    assert.deepEqual(shape.rows()[0]?.counts, [4, 1, 1, 2]);
  });

  it('shows parent domains that have enough subdomains, and no top level domain', () => {
    const shape = new QueueShape({ ...rules, withParents: true, minSubdomains: 2 });
    for (const host of ['a', 'b', 'a']) shape.add(`x@${host}.list.example.com`, 0);
    shape.add('x@other.com', 0);
    assert.deepEqual(
      shape.rows().map(({ name, counts }) => [name, counts[0]]),
      [
        ['TOTAL', 4],
        ['.list.example.com', 3],
        ['a.list.example.com', 2],
        ['other.com', 1],
        ['b.list.example.com', 1],
      ],
    );
  });

  it('is printed as far to the right as the terminal goes, long names cut at their beginning', () => {
    const shape = new QueueShape(rules);
    shape.add('x@a-very-long-name-of-a-domain-that-has-no-room-at-all-here.example.com', 0);
    const lines = [
      '                                         T  5 10 20 40 80 160 320 640 1280 1280+',
      '                                  TOTAL  1  1  0  0  0  0   0   0   0    0     0',
      '+at-has-no-room-at-all-here.example.com  1  1  0  0  0  0   0   0   0    0     0',
      '',
    ];
    assert.equal(shapeTable(shape.rows(), rules, 80), lines.join('\n'));
  });
});
