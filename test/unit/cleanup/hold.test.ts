import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('HOLD in header and body checks', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());
  const rules = 'header_checks = regexp:{{/^X-/ HOLD}}\nbody_checks = regexp:{{/^x/ HOLD}}\n';
  const content = 'X-A: 1\r\nX-B: 2\r\n\r\nx\r\n';
  const toldIn = (log: readonly string[]): readonly string[] => log.flatMap((line) => /hold: \S+ \S+/.exec(line) ?? []);

  it('is told of once', async () => {
    assert.deepEqual(toldIn((await bench.take(rules, { content })).log), ['hold: header X-A:']);
  });

  it('is not told of when an access table has put the message on hold', async () => {
    const taken = await bench.take(rules, { content, action: { kind: 'hold' } });
    assert.deepEqual(toldIn(taken.log), []);
  });
});
