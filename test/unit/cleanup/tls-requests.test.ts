import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('header fields about TLS on the further way', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  const clean = async (header: string, { requireTls = false, mainCf = '' } = {}) => {
    const given = { sender: 'a@x', recipients: ['b@x'], content: `${header}\r\nbody\r\n`, requireTls };
    const { envelope, content, log } = await bench.take(mainCf, given);
    const fields = content.match(/^Require-TLS-ESMTP: yes$/gm)?.length ?? 0;
    return { asked: [envelope.requireTls, envelope.tlsNotRequired], fields, log };
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
