import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('mail from MAILER-DAEMON', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  const senderOf = async (sender: string, mainCf = 'myorigin = here.example\n'): Promise<string> =>
    (await bench.take(mainCf, { sender, source: 'pickup', content: 'x\r\n' })).sender;

  it('has the null sender when it is of this system', async () => {
    assert.equal(await senderOf('MAILER-DAEMON'), '');
    assert.equal(await senderOf('mailer-daemon@Here.Example'), '');
  });

  it('keeps the sender of other systems', async () => {
    assert.equal(await senderOf('MAILER-DAEMON@there.example'), 'MAILER-DAEMON@there.example');
    assert.equal(await senderOf('mailer-daemons@here.example'), 'mailer-daemons@here.example');
  });

  it('says so in its From:, without a full name', async () => {
    const { content } = await bench.take('always_add_missing_headers = yes\n', {
      sender: 'MAILER-DAEMON',
      fullName: 'Full Name',
      source: 'pickup',
      content: 'Subject: s\r\n\r\nx\r\n',
    });
    assert.match(content, /^From: MAILER-DAEMON\r?$/m);
  });
});
