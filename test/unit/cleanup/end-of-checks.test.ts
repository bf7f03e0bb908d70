import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('what follows a line after which no further one is looked at', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  it('stays as it is, in any split of the content', async () => {
    const header = 'Message-ID: <1@x>\r\nContent-Type: multipart/mixed; boundary=b\r\n';
    const lines = '--b\r\n\r\nfoo\r\n--b\r\nX: one\r\n two\r\nY: three\r\n\r\nbody\r\n--b--\r\n';
    const body = Buffer.from(`\r\n${lines}`);
    const config = 'line_length_limit = 512\nbody_checks = regexp:{{/foo/ PASS}}\nmime_header_checks = $body_checks\n';
    for (let at = 0; at <= body.length; at += 1) {
      const content = [Buffer.from(header), body.subarray(0, at), body.subarray(at)];
      const taken = await bench.take(config, { content });
      assert.equal(taken.content.slice(taken.content.indexOf('\r\n\r\n') + 4), lines, `split at ${at}`);
    }
  });
});
