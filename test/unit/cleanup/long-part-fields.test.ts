import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('long header fields of parts, where the body is read line by line', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  const top = 'Message-ID: <1@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b';
  const end = '\r\n\r\nbody\r\n--b--\r\n';
  /** What became of the lines behind the first boundary, in any split of the content. */
  const queued = async (lines: string, mainCf = ''): Promise<string> => {
    const config = `line_length_limit = 512\nbody_checks = regexp:{{/nothing/ WARN}}\n${mainCf}`;
    const whole = Buffer.from(top + lines + end);
    const { content } = await bench.take(config, { content: whole });
    for (const size of [1, 511, 700]) {
      const count = Math.ceil(whole.length / size);
      const pieces = Array.from({ length: count }, (_, at) => whole.subarray(at * size, (at + 1) * size));
      assert.equal((await bench.take(config, { content: pieces })).content, content, `pieces of ${size}`);
    }
    return content.slice(content.indexOf('--b') + 3, -end.length);
  };
  const a = (count: number): string => 'a'.repeat(count);

  it('are whole, wherever line_length_limit cuts their lines', async () => {
    for (const lines of [
      `\r\nX: ${a(5000)}END\r\nY: z`,
      // what begins a piece begins no line
      `\r\nX: ${a(509)}\tb${a(510)} c\r\nY: z`,
      `\r\nX: ${a(509)}Y: ${a(600)}\r\nY: z`,
      `\r\nX: ${a(509)}\r\nY: z`,
      `\r\nX: ${a(509)}${a(512)}\r\nY: z`,
      `\r\nX: y\r\n ${a(1000)}END\r\n z\r\nY: z`,
      `\r\nX: ${a(508)}ä${a(511)}ä`,
    ])
      assert.equal(await queued(lines), lines);
  });

  it('are cut at header_size_limit, as those of the message are', async () => {
    const limited = (lines: string): Promise<string> => queued(lines, 'header_size_limit = 2000\n');
    assert.equal(await limited(`\r\nX: ${a(9000)}END\r\nY: z`), `\r\nX: ${a(1997)}\r\nY: z`);
    const folded = `\r\nX: ${a(1500)}\r\n ${a(400)}`;
    assert.equal(await limited(`${folded}\r\n ${a(400)}\r\n b\r\nY: z`), `${folded}\r\nY: z`);
    const fits = `\r\nX: ${a(300)}\r\n ${a(1200)}\r\n ${a(400)}\r\n b\r\nY: z`;
    assert.equal(await limited(fits), fits);
  });

  it('may begin behind a boundary that is as long as a line may be', async () => {
    const lines = `${a(509)}X: ${a(600)}\r\nY: ${a(600)}`;
    assert.equal(await queued(lines), lines);
    const { log } = await bench.take('line_length_limit = 512\nmime_header_checks = regexp:{{/^[XY]:/ WARN}}\n', {
      content: top + lines + end,
    });
    assert.equal(log.filter((line) => /warning: header [XY]: aaa/.test(line)).length, 2);
  });

  it('are read whole by tables, and for what they declare', async () => {
    const rule = 'line_length_limit = 512\nmime_header_checks = regexp:{{/^X: a+END$$/ WARN}}\n';
    const { log } = await bench.take(rule, { content: `${top}\r\nX: ${a(5000)}END${end}` });
    assert.equal(log.filter((line) => line.includes('warning: header X: aaa')).length, 1);
    const field = `Content-Transfer-Encoding: ${' '.repeat(600)}8bit`;
    const { envelope } = await bench.take(rule, { content: `${top}\r\n${field}${end}` });
    assert.equal(envelope.encoding, '8bit');
  });
});
