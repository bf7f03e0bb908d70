import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createCleanup } from '#cleanup';
import { openSettings } from '#config';
import { internalEnvelope, type Recipient, type SubmissionAction } from '#message';
import { createRewriter } from '#rewrite';
import { TableOpener } from '#tables';

const many = Array.from({ length: 1600 }, (_, i) => `user${1600 - i}@example.com`);

describe('a message of many recipients', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'cleanup-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** What the store is given: loads as they come, and what is committed; `utf8`: what the envelope says then. */
  async function take(main: string, addresses: readonly string[], action?: SubmissionAction) {
    writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.6\nmyhostname = mail.example.com\n${main}`);
    const { settings } = openSettings(directory);
    const warn = (text: string): void => assert.fail(text);
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    let loads: (readonly Recipient[])[] = [];
    let utf8: boolean | undefined;
    const cleanup = createCleanup({
      settings,
      tables,
      events: { emit: () => undefined },
      rewriter: createRewriter({ settings, tables, warn }),
      store: {
        begin: () => ({
          queueId: 'ABC',
          write: () => undefined,
          addRecipients: (recipients) => void loads.push([...recipients]),
          forgetRecipients: () => {
            loads = [];
          },
          commit: ({ recipients, envelope }) => {
            loads.push(recipients);
            utf8 = envelope.smtputf8;
            return Promise.resolve();
          },
          abort: () => undefined,
        }),
      },
    });
    const message = cleanup.open({
      source: 'smtpd',
      overrides: [],
      envelope: internalEnvelope('s@example.com', 0, 'mail'),
      prepend: Buffer.alloc(0),
    });
    if (action !== undefined) message.apply(action);
    for (const address of addresses)
      await message.addRecipient({ address, original: address, dsnOriginal: '', notify: [] });
    await message.write(Buffer.from('Subject: x\r\n\r\n'));
    assert.equal((await message.end()).kind, 'queued');
    return { sizes: loads.map(({ length }) => length), all: loads.flat().map(({ address }) => address), utf8 };
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

  it('needs UTF-8 when the first of them does', async () => {
    assert.equal((await take('smtputf8_autodetect_classes = all\n', ['ü@example.com', ...many])).utf8, true);
    assert.equal((await take('smtputf8_autodetect_classes = all\n', many)).utf8, false);
  });
});
