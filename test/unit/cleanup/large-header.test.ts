import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('a large header section', () => {
  let bench: Workbench;
  beforeEach(() => {
    bench = new Workbench();
  });
  afterEach(() => bench.close());

  /** How often others have their turn while a message is taken. */
  const turnsDuring = async (content: string): Promise<number> => {
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const { reply } = await bench.take('', { content });
    isOver = true;
    assert.equal(reply, 'queued');
    return turns;
  };

  it('lets others have their turn between very many fields', async () => {
    const turns = await turnsDuring(`${'X:\r\n'.repeat(50_000)}\r\nx\r\n`);
    assert.ok(turns >= 200, `${turns} turns`);
  });

  it('lets others have their turn between very many addresses of a field', async () => {
    const addresses = Array.from({ length: 1500 }, (_, at) => `u${at}@r.example`).join(',\r\n ');
    const turns = await turnsDuring(`To: ${addresses}\r\n\r\nx\r\n`);
    assert.ok(turns >= 10, `${turns} turns`);
    // mail as it usually is has no turns to wait for
    const few = await turnsDuring('To: a@r.example, b@r.example\r\nX: y\r\n\r\nx\r\n');
    assert.equal(few, 0);
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
