import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Taken, Workbench } from './workbench.ts';

/** Text that stands for its bytes. */
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('mail with bytes that are no UTF-8', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  const take = async (mainCf: string, content: string): Promise<Taken & { readonly stored: string }> => {
    // a dollar in main.cf is written twice
    const taken = await bench.take(mainCf.replaceAll('$', '$$$$'), {
      content: bytes(content),
      rewriteContext: 'remote',
    });
    return { ...taken, stored: taken.bytes.toString('latin1') };
  };

  for (const type of ['pcre', 'regexp']) {
    it(`goes into the queue as it came, though ${type} rules quote it`, async () => {
      const checks = `header_checks = ${type}:{{/^X-P: (.*)$/ PREPEND X-Q: <$1>}, {/^X-R: (.)/ REPLACE X-R: $1-}}\n`;
      const { stored, log } = await take(checks, 'X-P: \xe4 \xc3\xa4\r\nX-R: \xc3\xa4\r\nS: \xe4\r\n\r\n\xe4\r\n');
      assert.equal(stored, 'X-Q: <\xe4 \xc3\xa4>\r\nX-P: \xe4 \xc3\xa4\r\nX-R: \xc3-\r\nS: \xe4\r\n\r\n\xe4\r\n');
      assert.match(
        log.join('\n'),
        /prepend: header X-P: \? ä from .*: X-Q: <\? ä>\n.*replace: header X-R: ä from .*: X-R: \?-$/m,
      );
    });

    it(`goes into the queue as it came, though ${type} rules quote its body`, async () => {
      const checks = `body_checks = ${type}:{{/^p (.*)$/ PREPEND q $1}, {/^r (.)/ REPLACE r $1-}}\n`;
      const { stored, log } = await take(checks, 'S: x\r\n\r\np \xe4 \xc3\xa4\r\nr \xc3\xa4\r\n\xe4\r\n');
      assert.equal(stored, 'S: x\r\n\r\nq \xe4 \xc3\xa4\r\np \xe4 \xc3\xa4\r\nr \xc3-\r\n\xe4\r\n');
      assert.match(log.join('\n'), /prepend: body p \? ä from .*: q \? ä$/m);
    });
  }

  it('is seen as bytes by pcre rules', async () => {
    const rule = String.raw`pcre:{{/^\S+ x\xe4$/ INFO one}, {/^\S+ x\xc3\xa4$/ INFO two}}`;
    const checks = ['header_checks', 'mime_header_checks', 'nested_header_checks', 'body_checks'];
    const content =
      'A: x\xe4\r\nA: x\xc3\xa4\r\nContent-ID: x\xe4\r\nContent-Type: message/rfc822\r\n\r\nB: x\xe4\r\n\r\nC x\xe4\r\n';
    const { log } = await take(checks.map((name) => `${name} = ${rule}\n`).join(''), content);
    const found = log.flatMap((line) => /info: (.*) from .*: (\w+)$/.exec(line)?.slice(1).join(': ') ?? []);
    assert.deepEqual(found, [
      'header A: x?: one',
      'header A: xä: two',
      'header Content-ID: x?: one',
      'header B: x?: one',
      'body C x?: one',
    ]);
  });

  it('has message-ids that are logged with a mark for each byte', async () => {
    const { log } = await take('', 'Message-ID: <\xe4\xc3\xa4@x>\r\n\r\nx\r\n');
    assert.deepEqual(log, ['ABC: message-id=<?ä@x>']);
  });

  it('keeps names that stand beside rewritten addresses', async () => {
    const mainCf = 'remote_header_rewrite_domain = x.example\n';
    const { stored } = await take(
      mainCf,
      'Cc: \xe4 \xc3\xa4 <b>\r\nMessage-ID: <1@x>\r\nFrom: a@x\r\nDate: x\r\n\r\nx\r\n',
    );
    assert.match(stored, /^Cc: \xe4 \xc3\xa4 <b@x\.example>\r$/m);
  });

  it('has no addresses for tables that know UTF-8 only', async () => {
    const maps = 'remote_header_rewrite_domain = x.example\ncanonical_maps = pcre:{{/^(.+)@here$/ x@there}}\n';
    const { stored, log } = await take(maps, 'To: \xe4@here, \xc3\xa4@here\r\nMessage-ID: <1@x>\r\n\r\nx\r\n');
    assert.match(stored, /^To: \xe4@here, x@there\r$/m);
    assert.match(log.join('\n'), /: non-UTF-8 key "\udce4@here": malformed UTF-8 or invalid codepoint$/m);
    const all = await take(`${maps}smtputf8_enable = no\n`, 'To: \xe4@here\r\nMessage-ID: <1@x>\r\n\r\nx\r\n');
    assert.match(all.stored, /^To: x@there\r$/m);
  });

  it('has parts whose boundary may hold any bytes', async () => {
    for (const boundary of ['b\xe4', 'b\xc3\xa4']) {
      const content = `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\nContent-ID: 1\r\n\r\nx\r\n`;
      const { log } = await take('mime_header_checks = regexp:{{/^Content-ID/ INFO here}}\n', content);
      assert.match(log.join('\n'), /: here$/m);
    }
  });
});
