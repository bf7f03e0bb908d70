import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('a header section of very many fields', () => {
  let bench: Workbench;
  beforeEach(() => {
    bench = new Workbench();
  });
  afterEach(() => bench.close());

  it('lets others have their turn', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 0);
    const { reply } = await bench.take('', { content: `${'X:\r\n'.repeat(50_000)}\r\nx\r\n` });
    clearInterval(timer);
    assert.equal(reply, 'queued');
    assert.ok(turns > 10, `${turns} turns`);
  });

  it('is found to end wherever chunks do', async () => {
    const content = 'Message-ID: <1@x>\r\nTo: a@b.example\r\n c@d.example\r\n\r\nx\r\n\r\ny\r\n';
    const whole = await bench.take('', { content });
    for (const size of [1, 2, 3, 5]) {
      const pieces = content.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      assert.deepEqual(await bench.take('', { content: pieces.map((piece) => Buffer.from(piece)) }), whole);
    }
  });
});
