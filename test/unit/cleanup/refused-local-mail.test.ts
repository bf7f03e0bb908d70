import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('local mail that is refused and read to its end', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());
  const chunks = Array.from({ length: 10 }, () => Buffer.from(`${'x'.repeat(70)}\r\n`.repeat(900)));
  const take = (header: string, mainCf: string) =>
    bench.take(`message_size_limit = 100000\n${mainCf}`, {
      source: 'pickup',
      content: [Buffer.from(header), ...chunks],
    });

  it('is said once to exceed the limit of its size', async () => {
    const { reply, log } = await take('X: y\r\n\r\n', '');
    assert.equal(reply, '552 5.3.4 message file too big');
    assert.deepEqual(
      log.filter((line) => line.startsWith('warning: ')),
      ['warning: ABC: queue file size limit exceeded'],
    );
  });

  it('is too large only where nothing refused it before', async () => {
    const { reply, log, bytes } = await take('X: y\r\n\r\n', 'header_checks = regexp:{{/^X/ REJECT no}}\n');
    assert.equal(reply, '550 5.7.1 no');
    assert.ok(!log.some((line) => line.includes('size limit')));
    assert.equal(bytes.length, 0);
  });
});
