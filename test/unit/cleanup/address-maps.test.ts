import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createCleanup } from '#cleanup';
import { openSettings } from '#config';
import { internalEnvelope } from '#message';
import { createRewriter } from '#rewrite';
import { TableOpener } from '#tables';

interface Taken {
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly content: string;
  readonly warnings: readonly string[];
  readonly reply: string;
}

describe('addresses of a message on its way into the queue', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'maps-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  /** What becomes of a message from `sender` to `recipients`. */
  const take = async (
    mainCf: string,
    {
      sender = 's@s.example',
      recipients = ['r@r.example'],
      content = 'Subject: x\r\n\r\nx\r\n',
    }: { sender?: string; recipients?: readonly string[]; content?: string },
  ): Promise<Taken> => {
    writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.6\nmyhostname = mail.example.com\n${mainCf}`);
    const { settings } = openSettings(directory);
    const warnings: string[] = [];
    const warn = (text: string): void => void warnings.push(text);
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    const written: Buffer[] = [];
    let taken = { sender: '', recipients: [''] };
    const cleanup = createCleanup({
      settings,
      tables,
      events: { emit: (event) => void (event.kind === 'warning' && warnings.push(event.text)) },
      rewriter: createRewriter({ settings, tables, warn }),
      store: {
        begin: () => ({
          queueId: 'ABC',
          write: (chunk) => void written.push(Buffer.from(chunk)),
          commit: (message) => {
            taken = { sender: message.envelope.sender, recipients: message.recipients.map(({ address }) => address) };
            return Promise.resolve();
          },
          addRecipients: () => undefined,
          forgetRecipients: () => undefined,
          abort: () => undefined,
        }),
      },
    });
    const envelope = internalEnvelope(sender, 0, 'mail');
    const message = cleanup.open({ source: 'smtpd', overrides: [], envelope, prepend: Buffer.alloc(0) });
    for (const address of recipients)
      await message.addRecipient({ address, original: address, dsnOriginal: '', notify: [] });
    await message.write(Buffer.from(content));
    const result = await message.end();
    const reply = result.kind === 'refused' ? `${result.code} ${result.text}` : 'queued';
    return { ...taken, content: Buffer.concat(written).toString(), warnings, reply };
  };

  it('takes the first of several canonical addresses and says so', async () => {
    const taken = await take('canonical_maps = inline:{{m@x.example=one@x.example, two@x.example}}\n', {
      sender: 'm@x.example',
    });
    assert.equal(taken.reply, 'queued');
    assert.equal(taken.sender, 'one@x.example');
    assert.deepEqual(taken.warnings, ['ABC: multi-valued canonical_maps entry for m@x.example']);
  });

  it('goes on with what ten canonical steps gave', async () => {
    const steps = Array.from({ length: 12 }, (_, i) => `{n${i}@x.example=n${i + 1}@x.example}`).join(', ');
    const taken = await take(`canonical_maps = inline:{${steps}}\n`, { sender: 'n0@x.example' });
    assert.equal(taken.sender, 'n10@x.example');
    assert.match(taken.warnings[0] ?? '', /^ABC: unreasonable canonical_maps map nesting for n10@x.example/);
  });

  it('knows <> as a result', async () => {
    const maps = 'canonical_maps = inline:{{c@x.example=<>}}\nvirtual_alias_maps = inline:{{v@x.example=<>}}\n';
    const taken = await take(maps, { sender: 'c@x.example', recipients: ['v@x.example'] });
    assert.equal(taken.sender, '');
    assert.deepEqual(taken.recipients, ['MAILER-DAEMON@mail.example.com']);
  });

  it('tells of a result that holds no address, and takes the mail later', async () => {
    const taken = await take('virtual_alias_maps = inline:{{v@x.example= ,}}\n', { recipients: ['v@x.example'] });
    assert.equal(taken.reply, '451 queue file write error');
    assert.deepEqual(taken.warnings, [
      'virtual_alias_maps lookup of v@x.example returns non-address result ","',
      'ABC: virtual_alias_maps map lookup problem for v@x.example -- message not accepted, try again later',
    ]);
  });

  it('finds aliases that lead to each other too deep, not too many', async () => {
    const maps = 'virtual_alias_maps = inline:{{a@x.example=b@x.example, c@x.example}, {b@x.example=a@x.example}}\n';
    const taken = await take(`${maps}virtual_alias_recursion_limit = 5\n`, { recipients: ['a@x.example'] });
    assert.equal(taken.reply, '451 Alias expansion error');
    assert.match(taken.warnings[0] ?? '', /^ABC: unreasonable virtual_alias_maps map nesting for a@x.example/);
  });
});
