import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { SubmissionOptions } from '#message';
import { Workbench } from './workbench.ts';

describe('mail that holds UTF-8 without having announced it', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  const needsUtf8 = async (
    content: string,
    {
      recipient = 'b@x',
      source = 'pickup',
      mainCf = '',
    }: { recipient?: string; source?: SubmissionOptions['source']; mainCf?: string } = {},
  ): Promise<boolean | undefined> => {
    const { envelope } = await bench.take(mainCf, { sender: 'a@x', recipients: [recipient], source, content });
    return envelope.smtputf8;
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
