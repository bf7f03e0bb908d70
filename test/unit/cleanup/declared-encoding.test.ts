import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('the declared encoding of a message', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());
  const field = (value: string): string => `Content-Transfer-Encoding: ${value}\r\n`;
  const multipart = 'Content-Type: multipart/mixed; boundary=b\r\n';
  const encodingOf = async (content: string | readonly Buffer[], mainCf = ''): Promise<unknown> =>
    (await bench.take(mainCf, { content })).envelope.encoding;

  it('is 8-bit when any field of the header section says so in one plain word', async () => {
    for (const [fields, expected] of [
      [field('8BIT\t'), '8bit'],
      [field('\r\n binary'), '8bit'],
      [field('8bit') + field('7bit'), '8bit'],
      [field('8bit (comment)'), ''],
      [field('8bit; more'), ''],
      [field('base64'), ''],
    ] as const)
      assert.equal(await encodingOf(`${fields}\r\nx\r\n`), expected, fields);
  });

  it('is 8-bit when a part says so, in any split of the content', async () => {
    const content = `${multipart}${field('7bit')}\r\n--b\r\n${field('base64')}\r\nx\r\n--b\r\n${field('8bit')}\r\ny\r\n--b--\r\n`;
    assert.equal(await encodingOf(content), '8bit');
    assert.equal(await encodingOf([...Buffer.from(content)].map((byte) => Buffer.from([byte]))), '8bit');
    assert.equal(await encodingOf(content.replace('8bit', 'x-8bit')), '');
  });

  it('does not depend on the body of a message without parts', async () => {
    assert.equal(await encodingOf(`X: y\r\n\r\n${field('8bit')}`), '');
  });

  it('is not looked for under detect_8bit_encoding_header = no', async () => {
    const content = `${multipart}${field('8bit')}\r\n--b\r\n${field('8bit')}\r\ny\r\n`;
    assert.equal(await encodingOf(content, 'detect_8bit_encoding_header = no\n'), '');
  });

  it('is else what was announced', async () => {
    for (const [encoding, declared, expected] of [
      ['7bit', '8bit', '8bit'],
      ['8bit', 'base64', '8bit'],
      ['7bit', '7bit', '7bit'],
      ['', '7bit', ''],
    ] as const) {
      const taken = await bench.take('', { content: `${field(declared)}\r\nx\r\n`, encoding });
      assert.equal(taken.envelope.encoding, expected, `${encoding} ${declared}`);
    }
  });
});
