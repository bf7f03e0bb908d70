import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createCleanup } from '#cleanup';
import { openSettings } from '#config';
import { internalEnvelope, type SubmissionOptions } from '#message';
import { createRewriter } from '#rewrite';
import { TableOpener } from '#tables';

describe('mail that holds UTF-8 without having announced it', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'utf8-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const needsUtf8 = async (
    content: string,
    {
      recipient = 'b@x',
      source = 'pickup',
      mainCf = '',
    }: { recipient?: string; source?: SubmissionOptions['source']; mainCf?: string } = {},
  ): Promise<boolean | undefined> => {
    writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.6\nmyhostname = mail.example.com\n${mainCf}`);
    const { settings } = openSettings(directory);
    const warn = (): void => undefined;
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    let found: boolean | undefined;
    const cleanup = createCleanup({
      settings,
      tables,
      events: { emit: () => undefined },
      rewriter: createRewriter({ settings, tables, warn }),
      store: {
        begin: () => ({
          queueId: 'ABC',
          write: () => undefined,
          commit: ({ envelope }) => {
            found = envelope.smtputf8;
            return Promise.resolve();
          },
          addRecipients: () => undefined,
          forgetRecipients: () => undefined,
          abort: () => undefined,
        }),
      },
    });
    const envelope = internalEnvelope('a@x', 0, 'mail');
    const message = cleanup.open({ source, overrides: [], envelope, prepend: Buffer.alloc(0) });
    void message.addRecipient({ address: recipient, original: recipient, dsnOriginal: '', notify: [] });
    await message.write(Buffer.from(content));
    await message.end();
    return found;
  };

  it('needs SMTPUTF8 for a header or an address, not for the body', async () => {
    assert.equal(await needsUtf8('Subject: grüße\r\n\r\nx\r\n'), true);
    assert.equal(await needsUtf8('Subject: x\r\n\r\ngrüße\r\n'), false);
    assert.equal(await needsUtf8('Subject: x\r\n\r\nx\r\n', { recipient: 'ü@x' }), true);
  });

  it('is looked for in mail of the classes that are asked for', async () => {
    const content = 'Subject: grüße\r\n\r\nx\r\n';
    assert.equal(await needsUtf8(content, { source: 'smtpd' }), false);
    assert.equal(await needsUtf8(content, { source: 'smtpd', mainCf: 'smtputf8_autodetect_classes = all\n' }), true);
    assert.equal(await needsUtf8(content, { mainCf: 'smtputf8_enable = no\n' }), false);
  });
});
