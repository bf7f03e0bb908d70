import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Envelope } from '#message';
import { Workbench } from './workbench.ts';

describe('the encoding of a message', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  const encodingOf = async (encoding: Envelope['encoding'], declared: string): Promise<string | undefined> => {
    const content = `Content-Transfer-Encoding: ${declared}\r\n\r\nx\r\n`;
    return (await bench.take('', { content, encoding })).envelope.encoding;
  };

  it('is 8-bit where the header section says so, whatever was announced', async () => {
    assert.equal(await encodingOf('7bit', '8bit'), '8bit');
    assert.equal(await encodingOf('7bit', 'binary'), '8bit');
    assert.equal(await encodingOf('', '8bit'), '8bit');
  });

  it('is else what was announced', async () => {
    assert.equal(await encodingOf('8bit', 'base64'), '8bit');
    assert.equal(await encodingOf('7bit', '7bit'), '7bit');
    assert.equal(await encodingOf('', '7bit'), '');
  });
});
