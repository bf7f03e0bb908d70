import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('strict checks of MIME', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());
  const strict = 'strict_8bitmime = yes\nstrict_mime_encoding_domain = yes\n';
  const errorsIn = (log: readonly string[]): readonly string[] =>
    log.flatMap((line) => /mime-error (.*?): /.exec(line)?.[1] ?? []);

  it('tell each kind of error once, and refuse for the gravest', async () => {
    const parts = '--A\r\n\r\nä\r\nä\r\n--A\r\nX: ä\r\n\r\nx\r\n';
    const taken = await bench.take(strict, {
      content: `Content-Type: multipart/mixed; boundary=A\r\n\r\n${parts}`,
    });
    assert.deepEqual(errorsIn(taken.log), [
      'improper use of 8-bit data in message body',
      'improper use of 8-bit data in message header',
    ]);
    assert.equal(taken.reply, '550 5.6.0 improper use of 8-bit data in message header');
  });

  it('leave the last word to a rule that rejects', async () => {
    const rule = 'body_checks = regexp:{{/^no/ REJECT 5.7.9 no}}\n';
    const taken = await bench.take(strict + rule, { content: 'X: y\r\n\r\nä\r\nno\r\n' });
    assert.equal(taken.reply, '550 5.7.9 no');
  });

  it('take what is encoded for 7-bit data whatever it is', async () => {
    const taken = await bench.take(strict, { content: 'Content-Transfer-Encoding: base64\r\n\r\nä\r\n' });
    assert.equal(taken.reply, 'queued');
  });

  it('read a folded field of a part as one text', async () => {
    const rule = 'mime_header_checks = regexp:{{/ä/ WARN umlaut}}\n';
    const content = 'Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\nX: y\r\n ä\r\n\r\nx\r\n';
    const taken = await bench.take(rule, { content });
    assert.equal(taken.log.filter((line) => line.includes(': umlaut')).length, 1);
    assert.match(taken.content, /X: y\r\n ä\r\n/);
  });

  it('are off where MIME is not read', async () => {
    const off = `${strict}disable_mime_input_processing = yes\n`;
    assert.equal((await bench.take(off, { content: 'X: ä\r\n\r\nä\r\n' })).reply, 'queued');
  });
});

describe('body_checks', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  it('end at body_checks_size_limit, which the empty line counts to', async () => {
    const rule = 'body_checks = regexp:{{/^far/ WARN far}}\nbody_checks_size_limit = 20\n';
    const isSeen = async (length: number): Promise<boolean> => {
      const { log } = await bench.take(rule, { content: `X: y\r\n\r\n${'y'.repeat(length)}\r\nfar\r\n` });
      return log.some((line) => line.endsWith(': far'));
    };
    assert.deepEqual([await isSeen(17), await isSeen(18)], [true, false]);
  });
});

describe('mail of sendmail that a rule rejects', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  it('is read to its end, unlike that of SMTP', async () => {
    const rule = 'header_checks = regexp:{{/^X/ REJECT no}}\nalways_bcc = b@x\n';
    const content = 'X: y\r\nMessage-Id: <1@x>\r\n\r\nx\r\n';
    const isLogged = (log: readonly string[]): boolean => log.some((line) => line.includes('message-id='));
    const local = await bench.take(rule, { content, source: 'pickup' });
    assert.deepEqual([local.reply, isLogged(local.log)], ['550 5.7.1 no', true]);
    assert.match(local.returnedHeader, /^X: y\r\nMessage-Id: <1@x>\r\nDate: /);
    assert.equal(local.returnedId, '<1@x>');
    const remote = await bench.take(rule, { content });
    assert.deepEqual([remote.reply, isLogged(remote.log)], ['550 5.7.1 no', false]);
  });

  it('hears of each hop beyond hopcount_limit', async () => {
    const content = 'Received: a\r\n'.repeat(4);
    const hopsOf = ({ log }: { readonly log: readonly string[] }): number =>
      log.filter((line) => line.includes('hopcount exceeded')).length;
    assert.equal(hopsOf(await bench.take('hopcount_limit = 3\n', { content, source: 'pickup' })), 2);
    assert.equal(hopsOf(await bench.take('hopcount_limit = 3\n', { content })), 1);
  });
});
