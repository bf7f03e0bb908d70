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

  it('is what fields of header sections say, not text of a part, in any split of the content', async () => {
    const part = (lines: string): string => `${multipart}\r\npreamble\r\n--b\r\n${lines}\r\n--b--\r\nend\r\n`;
    const long = 'x'.repeat(9000);
    for (const [content, expected] of [
      [part(`\r\n${field('8bit')}`), ''],
      [part(`Content-Type: text/rfc822-headers\r\n\r\n${field('8bit')}`), ''],
      [part(`Content-Type: message/rfc822\r\n\r\nSubject: s\r\n${field('8bit')}\r\nx`), '8bit'],
      [part(`no field\r\n${field('8bit')}`), ''],
      [part(`X: ${long}\r\n${long}${field('8bit')}`), ''],
      [part(`X: ${long}\r\n${field('\r\n\t8bit')}\r\n${long}`), '8bit'],
      [part(`\r\n${long}--b\r\n${field('8bit')}`), ''],
      [part(`\r\n-\r\n--x\r\n--b\r\ncontent-TRANSFER-encoding:8BIT\r\n\r\nx`), '8bit'],
      [part(`Content-Type: multipart/digest; boundary=c\r\n\r\n--c\r\n\r\n${field('8bit')}\r\nx\r\n--c--`), '8bit'],
      [`${multipart}\r\n--b\r\n${field('8bit')}`, '8bit'],
      [`${multipart}\r\n--b--\r\n${field('8bit')}`, ''],
    ] as const) {
      assert.equal(await encodingOf(content), expected, content);
      for (const size of [1, 4, 7]) {
        const whole = Buffer.from(content);
        const count = Math.ceil(whole.length / size);
        const pieces = Array.from({ length: count }, (_, at) => whole.subarray(at * size, (at + 1) * size));
        assert.equal(await encodingOf(pieces), expected, `${content} in pieces of ${size}`);
      }
      // a table that sees lines of the body has them read another way
      assert.equal(await encodingOf(content, 'body_checks = regexp:{ {/nothing/ WARN} }\n'), expected, content);
    }
  });

  it('is that of all parts though a check says that no further line is looked at', async () => {
    const foo = '\r\n--b\r\n\r\nfoo\r\n';
    const declared = `\r\n--b\r\nX: y\r\n z\r\n${field('\r\n 8bit')}\r\ny\r\n`;
    for (const action of ['PASS', 'REDIRECT a@b.example'])
      for (const content of [foo + declared, declared + foo].map((parts) => `${multipart}${parts}--b--\r\n`))
        for (let at = 0; at <= content.length; at += 1) {
          const pieces = [content.slice(0, at), content.slice(at)].map((piece) => Buffer.from(piece));
          const taken = await bench.take(`body_checks = regexp:{{/foo/ ${action}}}\n`, { content: pieces });
          assert.equal(taken.envelope.encoding, '8bit', `${action}, split at ${at} of ${content}`);
        }
  });

  it('is that of the fields that the checks leave', async () => {
    const checks =
      'regexp:{ {/8bit/ IGNORE} {/binary/ REPLACE X: y} {/^X-Now/ REPLACE Content-Transfer-Encoding: 8bit} }';
    for (const [parameter, before] of [
      ['header_checks', ''],
      ['mime_header_checks', `${multipart}\r\n--b\r\n`],
    ] as const) {
      const encoding = (fields: string): Promise<unknown> =>
        encodingOf(`${before}${fields}\r\nx\r\n`, `${parameter} = ${checks}\n`);
      assert.equal(await encoding(field('8bit')), '', parameter);
      assert.equal(await encoding(field('binary')), '', parameter);
      assert.equal(await encoding('X-Now: y\r\n'), '8bit', parameter);
    }
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
