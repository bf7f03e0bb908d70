import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('the header section of a message on its way into the queue', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  it('is that of a resent message by the fields of RFC 5322 only', async () => {
    const kept = await bench.take('', { content: 'Resent-Colour: red\r\n\r\n' });
    assert.match(kept.content, /^Message-Id: /m);
    const resent = await bench.take('', { content: 'Resent-Date: today\r\n\r\n' });
    assert.match(resent.content, /^Resent-Message-Id: /m);
  });

  it('has each field up to its null character', async () => {
    const taken = await bench.take('', { content: 'X: a\0b\r\n c\r\nY: z\r\n\r\nd\0e\r\n' });
    assert.match(taken.content, /^X: a\r\nY: z\r\n/);
    assert.match(taken.content, /d\0e\r\n$/);
  });

  it('is logged with the Message-Id as it stands', async () => {
    const idOf = async (content: string): Promise<string | undefined> => {
      const { log } = await bench.take('local_header_rewrite_clients =\n', { content });
      return log.find((line) => line.includes('message-id='));
    };
    assert.equal(await idOf('Message-Id:\r\n\r\n'), 'ABC: message-id=');
    assert.equal(await idOf('Message-Id: <a\r\n b>\r\n\r\n'), 'ABC: message-id=<a? b>');
  });

  it('holds names that are not ASCII, whatever stands beside them', async () => {
    const content = Buffer.from('X: \xff\r\n\r\n', 'latin1');
    const settings = 'header_checks = regexp:{{/^X/ PREPEND Y: ä}}\n';
    const made = await bench.take(settings, { content: 'X: y\r\n\r\n', sender: 'ä@s.example' });
    assert.match(made.content, /^Y: ä\r\nX: y\r\n[^]*From: ä@s.example/);
    const beside = await bench.take('', { content, sender: 'ä@s.example' });
    assert.match(beside.content, /From: ä@s.example/);
  });

  it('gets the full name as encoded-words, readable where that is possible', async () => {
    const fromOf = async (fullName: string, settings = ''): Promise<string | undefined> => {
      const { content, log } = await bench.take(settings, { content: '\r\n', fullName });
      return [...log.filter((line) => line.includes('charset')), /^From: (.*)\r$/m.exec(content)?.[1]].join(' | ');
    };
    assert.equal(await fromOf(' lead  and trail '), 'lead and trail <s@s.example>');
    assert.equal(await fromOf('a.  b'), '"a.  b" <s@s.example>');
    assert.equal(await fromOf('J\u{fc}rgen "x" M'), '=?utf-8?q?J=C3=BCrgen_=22x=22_M?= <s@s.example>');
    assert.equal(
      await fromOf('\u{416}'.repeat(20)),
      `=?utf-8?b?${Buffer.from('\u{416}'.repeat(20)).toString('base64')}?= <s@s.example>`,
    );
    assert.equal(
      await fromOf('\u{e9}', 'full_name_encoding_charset = a b\n'),
      'warning: ABC: full_name_encoding_charset: bad charset name "a b"; full name left out | s@s.example',
    );
  });

  it('keeps a CR that ends no line where content is not looked into', async () => {
    const content = 'X: a\rb\r\n\r\nc\rd\r\n';
    assert.match((await bench.take('', { content })).content, /^X: a b\r\n[^]*\r\nc d\r\n$/);
    const unread = await bench.take('', { content, overrides: ['no_header_body_checks'] });
    assert.match(unread.content, /^X: a\rb\r\n[^]*\r\nc\rd\r\n$/);
  });

  it('that ends without an empty line is mended, noted or refused', async () => {
    const content = 'X: 1\r\nno field\r\nbody\r\n';
    const taken = (action: string) => bench.take(`non_empty_end_of_header_action = ${action}\n`, { content });
    assert.match((await taken('fix_quietly')).content, /\r\n\r\nno field\r\nbody\r\n$/);
    const text = 'message header was not terminated by empty line';
    assert.match((await taken('add_header')).content, new RegExp(`\r\nMIME-Error: ${text}\r\n\r\nno field\r\n`));
    const { reply, log } = await taken('reject');
    assert.equal(reply, `550 5.6.0 ${text}`);
    assert.match(log.join('\n'), new RegExp(`ABC: reject: mime-error ${text}: no field from `));
  });
});
