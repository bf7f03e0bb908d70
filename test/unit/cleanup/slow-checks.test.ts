import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { hasPerlExpressions } from '#native';
import { Workbench } from './workbench.ts';

describe('checks that take long', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  it('let others have their turn between lines', { skip: !hasPerlExpressions() && 'no PCRE2 here' }, async () => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    // as many steps as the library allows
    const line = `${'a'.repeat(400)}\r\n`;
    const rule = 'body_checks = pcre:{{/(?:a|aa)+[bc]/ REJECT}}\n';
    const { log, reply } = await bench.take(rule, { content: `X: y\r\n\r\n${line.repeat(4)}` });
    isOver = true;
    assert.equal(reply, 'queued');
    assert.equal(log.filter((text) => text.endsWith('backtracking limit exceeded')).length, 4);
    assert.ok(turns >= 4, `${turns} turns`);
  });
});
