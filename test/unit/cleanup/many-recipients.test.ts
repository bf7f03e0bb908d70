import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SubmissionAction } from '#message';
import { Workbench } from './workbench.ts';

const many = Array.from({ length: 1600 }, (_, i) => `user${1600 - i}@example.com`);

describe('a message of many recipients', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  /** What the store is given: loads as they come, and what is committed; `utf8`: what the envelope says then. */
  async function take(mainCf: string, recipients: readonly string[], action?: SubmissionAction) {
    const content = 'Subject: x\r\n\r\n';
    const taken = await bench.take(mainCf, { recipients, content, ...(action && { action }) });
    assert.equal(taken.reply, 'queued');
    assert.deepEqual(
      taken.log.filter((line) => line.startsWith('warning')),
      [],
    );
    return { sizes: taken.loads, all: taken.recipients, utf8: taken.envelope.smtputf8 };
  }

  it('goes to the store a load at a time, in order', async () => {
    const { sizes, all } = await take('', many);
    assert.deepEqual(sizes, [500, 500, 500, 100]);
    assert.deepEqual(all, many);
  });

  it('goes there so when one address stands for all', async () => {
    const table = `virtual_alias_maps = inline:{{all@example.com=${many.join(' ')}}}\nvirtual_alias_expansion_limit = 2000\n`;
    const { sizes, all } = await take(table, ['all@example.com', 'one@example.com']);
    assert.deepEqual(sizes, [500, 500, 500, 101]);
    assert.deepEqual(all, [...many, 'one@example.com']);
  });

  it('becomes a single copy when it is redirected', async () => {
    const { all } = await take('', many, { kind: 'redirect', address: 'other@example.org' });
    assert.deepEqual(all, ['other@example.org']);
  });

  it('is told of in the log as it was before it was redirected, and stands for the first in order', async () => {
    const { recipients, originals, envelope } = await bench.take('', {
      recipients: ['x@z.example', 'a@z.example', 'z@a.example'],
      action: { kind: 'redirect', address: 'other@example.org' },
    });
    assert.deepEqual(recipients, ['other@example.org']);
    assert.deepEqual(originals, ['z@a.example']);
    assert.equal(envelope.recipientCount, 3);
  });

  it('needs UTF-8 when the first of them does', async () => {
    assert.equal((await take('smtputf8_autodetect_classes = all\n', ['ü@example.com', ...many])).utf8, true);
    assert.equal((await take('smtputf8_autodetect_classes = all\n', many)).utf8, false);
  });
});
