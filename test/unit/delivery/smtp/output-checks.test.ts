import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { request } from '../request.ts';
import { startAgent, startSink } from './sink.ts';

const checks = [
  'smtp_header_checks = regexp:{{/^X-Strip/ STRIP}, {/^X-Ign/ IGNORE}, {/^X-Rep/ REPLACE X-Rep: replaced}, {/^X-Pre/ PREPEND X-Before: y}, {/^X-Warn/ WARN seen}, {/^X-Rej/ REJECT no}}',
  'smtp_body_checks = regexp:{{/^secret/ REPLACE xxxxxx}}',
  'smtp_mime_header_checks = regexp:{{/^Content-Type: text.html/ REPLACE Content-Type: text/plain}}',
];

/** The content that goes out, and the log without the outcome. */
async function check(content: string, settings: readonly string[] = checks) {
  await using sink = await startSink();
  await using agent = startAgent(settings);
  await agent.deliver(request(`[127.0.0.1]:${sink.port}`, ['u@x.example'], {}, content));
  return { sent: sink.seen.find((line) => line.startsWith('DATA:'))?.slice(5), log: agent.log.slice(0, -1) };
}

describe('checks on delivery', () => {
  for (const [title, before, after, log] of [
    ['STRIP', 'X-Strip: 1\r\n', '', ['QID: strip: header X-Strip: 1']],
    ['IGNORE', 'X-Ign: 1\r\n', '', []],
    ['REPLACE', 'X-Rep: 1\r\n', 'X-Rep: replaced\r\n', ['QID: replace: header X-Rep: 1: X-Rep: replaced']],
    ['PREPEND', 'X-Pre: 1\r\n', 'X-Before: y\r\nX-Pre: 1\r\n', ['QID: prepend: header X-Pre: 1: X-Before: y']],
    ['WARN', 'X-Warn: 1\r\n', 'X-Warn: 1\r\n', ['QID: warning: header X-Warn: 1: seen']],
    ['REJECT', 'X-Rej: 1\r\n', 'X-Rej: 1\r\n', ['warning: unsupported command in smtp_header_checks map: REJECT no']],
    [
      'a MIME header',
      'Content-Type: text/html\r\n',
      'Content-Type: text/plain\r\n',
      ['QID: replace: header Content-Type: text/html: Content-Type: text/plain'],
    ],
  ] as const) {
    it(`do what ${title} says`, async () => {
      const rest = 'Subject: t\r\n folded\r\n\r\nb\r\n';
      assert.deepEqual(await check(before + rest), { sent: after + rest, log });
    });
  }

  it('name the parameter, not the table, whose rule has no text', async () => {
    const { log } = await check('X: y\r\n\r\nb\r\n', ['smtp_header_checks = regexp:{{/^X: (z?)y/ $$1}}']);
    assert.equal(log[0], 'smtp_header_checks lookup of X: y returns an empty string result');
  });

  it('name smtp_generic_maps where it gives no address', async () => {
    const { log } = await check('X: y\r\n\r\nb\r\n', ['smtp_generic_maps = inline:{{u@x.example= ,}}']);
    assert.equal(log[0], 'warning: smtp_generic_maps lookup of u@x.example returns non-address result ","');
  });

  it('see and leave bytes that are no UTF-8', async () => {
    const rules = String.raw`pcre:{{/^P (.*)\xe4/ PREPEND Q $$1}, {/^R: (.)/ REPLACE R: $$1-}, {/^P: (.*)/ PREPEND Q: $$1}}`;
    const settings = [`smtp_header_checks = ${rules}`, `smtp_body_checks = ${rules}`];
    const { sent, log } = await check('P: \xe4\xc3\xa4\r\nR: \xc3\xa4\r\n\r\nP \xe4\xe4\r\n', settings);
    assert.equal(sent, 'Q: \xe4\xc3\xa4\r\nP: \xe4\xc3\xa4\r\nR: \xc3-\r\n\r\nQ \xe4\r\nP \xe4\xe4\r\n');
    assert.deepEqual(log, [
      'QID: prepend: header P: ?ä: Q: ?ä',
      'QID: replace: header R: ä: R: ?-',
      'QID: prepend: body P ??: Q ?',
    ]);
  });

  it('see all of the body, whatever body_checks_size_limit says', async () => {
    const lines = (line: string): string => `${line}\r\n`.repeat(30);
    const { sent } = await check(`X: y\r\n\r\n${lines('secret')}`, [...checks, 'body_checks_size_limit = 20']);
    assert.equal(sent, `X: y\r\n\r\n${lines('xxxxxx')}`);
  });

  it('see each line of the body', async () => {
    assert.deepEqual(await check('Subject: t\r\n\r\nsecret word\r\nother\r\n'), {
      sent: 'Subject: t\r\n\r\nxxxxxx\r\nother\r\n',
      log: ['QID: replace: body secret word: xxxxxx'],
    });
  });
});
