import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createCleanup } from '#cleanup';
import { openSettings } from '#config';
import { renderPostfixText } from '#events';
import { internalEnvelope } from '#message';
import { createRewriter } from '#rewrite';
import { TableOpener } from '#tables';

describe('header fields about TLS on the further way', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'tls-requests-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const clean = async (header: string, { requireTls = false, mainCf = '' } = {}) => {
    writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.6\nmyhostname = mail.example.com\n${mainCf}`);
    const { settings } = openSettings(directory);
    const log: string[] = [];
    const warn = (): void => undefined;
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    let stored = '';
    let asked: readonly (boolean | undefined)[] = [];
    const cleanup = createCleanup({
      settings,
      tables,
      events: { emit: (event) => void log.push(renderPostfixText(event)) },
      rewriter: createRewriter({ settings, tables, warn }),
      store: {
        begin: () => ({
          queueId: 'ABC',
          write: (chunk) => void (stored += chunk.toString()),
          commit: ({ envelope }) => {
            asked = [envelope.requireTls, envelope.tlsNotRequired];
            return Promise.resolve();
          },
          addRecipients: () => undefined,
          forgetRecipients: () => undefined,
          abort: () => undefined,
        }),
      },
    });
    const envelope = { ...internalEnvelope('a@x', 0, 'mail'), requireTls };
    const message = cleanup.open({ source: 'smtpd', overrides: [], envelope, prepend: Buffer.alloc(0) });
    void message.addRecipient({ address: 'b@x', original: 'b@x', dsnOriginal: '', notify: [] });
    await message.write(Buffer.from(`${header}\r\nbody\r\n`));
    await message.end();
    return { asked, fields: stored.match(/^Require-TLS-ESMTP: yes$/gm)?.length ?? 0, log };
  };

  it('knows TLS-Required: no', async () => {
    assert.deepEqual((await clean('TLS-Required: no\r\n')).asked, [false, true]);
    assert.deepEqual((await clean('tls-required:  NO \r\n')).asked, [false, true]);
    assert.deepEqual((await clean('Subject: x\r\n')).asked, [false, false]);
    const { asked } = await clean('TLS-Required: no\r\n', { mainCf: 'tls_required_enable = no\n' });
    assert.deepEqual(asked, [false, false]);
  });

  it('warns of a TLS-Required that says anything else', async () => {
    const { asked, log } = await clean('TLS-Required: maybe\r\n');
    assert.deepEqual(asked, [false, false]);
    assert.ok(log.includes("warning: ignoring malformed header: 'TLS-Required: maybe'"), log.join('\n'));
  });

  it('takes REQUIRETLS back from a content filter by its header field', async () => {
    const found = await clean('Require-TLS-ESMTP: yes\r\n');
    assert.deepEqual([found.asked, found.fields], [[true, false], 1]);
    const off = await clean('Require-TLS-ESMTP: yes\r\n', { mainCf: 'requiretls_esmtp_header = no\n' });
    assert.deepEqual(off.asked, [false, false]);
    const none = await clean('Require-TLS-ESMTP: yes\r\n', { mainCf: 'requiretls_enable = no\n' });
    assert.deepEqual(none.asked, [false, false]);
  });

  it('adds the field to mail with REQUIRETLS, once', async () => {
    const added = await clean('Subject: x\r\n', { requireTls: true });
    assert.deepEqual([added.asked, added.fields], [[true, false], 1]);
    assert.equal((await clean('Require-TLS-ESMTP: yes\r\n', { requireTls: true })).fields, 1);
    const off = await clean('Subject: x\r\n', { requireTls: true, mainCf: 'requiretls_esmtp_header = no\n' });
    assert.deepEqual([off.asked, off.fields], [[true, false], 0]);
  });
});
