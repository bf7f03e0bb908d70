import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseMaildropEnvelope, type MaildropEnvelope } from '#message';
import { run } from '../../../src/cli/sendmail.ts';

describe('sendmail', () => {
  let directory = '';
  let maildrop = '';
  /** Chunks of the input that sendmail took. */
  let read = 0;
  let fullName = 'Some Body';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sendmail-'));
    maildrop = join(directory, 'queue', 'maildrop');
    writeFileSync(
      join(directory, 'main.cf'),
      `myhostname = mail.example.com\nqueue_directory = ${directory}/queue\nmessage_size_limit = 1000\n`,
    );
  });
  after(() => rmSync(directory, { recursive: true }));

  interface Result {
    readonly status: number;
    readonly output: string;
    readonly envelope: MaildropEnvelope | undefined;
    readonly content: string;
  }
  const send = async (args: readonly string[], ...input: readonly string[]): Promise<Result> => {
    rmSync(maildrop, { recursive: true, force: true });
    mkdirSync(maildrop, { recursive: true });
    let output = '';
    async function* stdin(): AsyncGenerator<Buffer> {
      for (const text of input) {
        read += 1;
        yield Buffer.from(text, 'latin1');
      }
    }
    const status = await run(args, {
      stdout: (text) => void (output += text.toString()),
      stderr: (text) => void (output += text),
      stdin: stdin(),
      env: { MAIL_CONFIG: directory, NAME: fullName },
      uid: 0,
    });
    const [name, ...others] = readdirSync(maildrop);
    assert.deepEqual(others, []);
    if (name === undefined) return { status, output, envelope: undefined, content: '' };
    const path = join(maildrop, name);
    assert.equal(statSync(path).mode & 0o100, 0o100);
    const text = readFileSync(path, 'latin1');
    const line = text.indexOf('\n');
    return {
      status,
      output,
      envelope: parseMaildropEnvelope(text.slice(0, line)),
      content: text.slice(line + 1),
    };
  };

  it('leaves the message with its envelope in maildrop', async () => {
    const { status, envelope, content } = await send(
      ['-f', '<a@x>', '-N', 'success,delay', '-R', 'hdrs', '-V', 'env1', '-B8BITMIME', 'b, C <"c d"@y>'],
      'Subject: s\n',
      '\nbody',
    );
    assert.equal(status, 0);
    assert.equal(content, 'Subject: s\n\nbody\n');
    assert.equal(envelope?.sender, 'a@x');
    const notify = ['success', 'delay'];
    assert.deepEqual(envelope?.recipients, [
      { address: 'b', notify, dsnOriginal: '' },
      { address: 'c d@y', notify, dsnOriginal: '' },
    ]);
    assert.deepEqual(
      [envelope?.ret, envelope?.envid, envelope?.encoding, envelope?.fullName],
      ['hdrs', 'env1', '8bit', 'Some Body'],
    );
  });

  it('takes the full name from NAME, even where that is empty', async () => {
    assert.equal((await send(['b'], 'x\n')).envelope?.fullName, 'Some Body');
    fullName = '';
    assert.equal((await send(['b'], 'x\n')).envelope?.fullName, '');
    fullName = 'Some Body';
  });

  it('ends at a lone dot, but for -i and -oi', async () => {
    assert.equal((await send(['b'], 'one\n.\ntwo\n')).content, 'one\n');
    assert.equal((await send(['b'], 'one\r\n.\r', '\ntwo\n')).content, 'one\n');
    assert.equal((await send(['-i', 'b'], 'one\n.\ntwo\n')).content, 'one\n.\ntwo\n');
    assert.equal((await send(['-oi', 'b'], 'one\n.\ntwo\n')).content, 'one\n.\ntwo\n');
  });

  it('drops CRs before line ends and From_ lines at the top', async () => {
    assert.equal((await send(['b'], 'From x\r\n>From y\nS: t\r\n\r\r\nFrom z\n')).content, 'S: t\n\nFrom z\n');
  });

  it('has no header section when it begins with a blank', async () => {
    assert.equal((await send(['b'], ' S: t\r\n\r\nx\n')).content, '\n S: t\n\nx\n');
  });

  it('takes recipients from headers with -t', async () => {
    const to = async (text: string, ...args: readonly string[]): Promise<readonly string[] | undefined> =>
      (await send(['-t', ...args], text)).envelope?.recipients.map(({ address }) => address);
    assert.deepEqual(await to('To: a,\n b\nCc: c\nBcc: d\nX-To: e\n\nTo: f\n', 'g'), ['g', 'a', 'b', 'c', 'd']);
    assert.deepEqual(await to('To: a\nResent-To: r\n\n'), ['r']);
    assert.deepEqual(await to('To: a\nResent-From: r\n\n'), ['a']);
    const none = await send(['-t'], 'Subject: s\n\nTo: x\n');
    assert.match(none.output, /^sendmail: fatal: root\(0\): No recipient addresses found in message header\n/);
    assert.deepEqual([none.status, none.envelope], [75, undefined]);
  });

  it('takes as many recipients from headers as there are', async () => {
    const file = join(directory, 'main.cf');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, before.replace('= 1000\n', '= 0\n'));
    const { status, envelope } = await send(['-t'], `To: ${'b,\n '.repeat(200_000)}c\n\n`);
    writeFileSync(file, before);
    assert.deepEqual([status, envelope?.recipients.length], [0, 200_001]);
  });

  it('keeps nothing of a message that is too big', async () => {
    const { status, output, envelope } = await send(['b'], 'x'.repeat(1200));
    assert.deepEqual([status, envelope], [75, undefined]);
    assert.match(output, /message file too big/);
  });

  it('reads no more of a message than it may have', async () => {
    const chunks = Array.from({ length: 100 }, () => 'x'.repeat(9000));
    for (const [args, first] of [
      [['b'], 'Subject: s\n\n'],
      [['-t'], 'To: b\nSubject: '],
    ] as const) {
      read = 0;
      const { status, output, envelope } = await send(args, first, ...chunks);
      assert.match(output, /sendmail: fatal: root\(0\): message file too big\n$/);
      assert.deepEqual([status, envelope, read], [75, undefined, 2]);
    }
  });

  it('tells of bad options', async () => {
    const unknown = await send(['-Y', 'b'], 'x\n');
    assert.equal(
      unknown.output,
      "sendmail: invalid option -- 'Y'\nsendmail: invalid option -- 'Y'\nsendmail: fatal: usage: sendmail [options]\n",
    );
    const notify = await send(['-N', 'sometimes', 'b'], 'x\n');
    assert.equal(
      notify.output,
      'sendmail: warning: unknown DSN NOTIFY command value "sometimes" in "sometimes"\n' +
        "sendmail: warning: bad -N option value: 'sometimes' -- ignored\n",
    );
    assert.equal(notify.status, 0);
    assert.equal((await send(['-B9BIT', 'b'], '')).output, 'sendmail: fatal: -B option needs 8BITMIME or 7BIT\n');
    assert.equal((await send(['-oA', '-bi'])).output, 'sendmail: fatal: -oA requires pathname\n');
    assert.equal((await send(['-qR'])).output, 'sendmail: fatal: specify: -qRsitename\n');
    assert.equal((await send(['-bs', '-t'])).output, 'sendmail: fatal: -t can be used only in delivery mode\n');
    assert.equal((await send(['-iXV', 'b'])).output, 'sendmail: fatal: -V requires two characters from -=+\n');
    assert.match((await send(['-d0', 'b'])).output, /^(sendmail: invalid option -- '[d0]'\n){2}sendmail: invalid/);
  });

  it('does without an envelope ID that makes no sense', async () => {
    const long = await send(['-V', 'a'.repeat(101), 'b'], '');
    assert.deepEqual(
      [long.envelope?.envid, long.output],
      ['', 'sendmail: warning: too long -V option value -- ignored\n'],
    );
    const odd = await send(['-V', 'été', 'b'], '');
    assert.deepEqual([odd.envelope?.envid, odd.status], ['', 0]);
    assert.equal((await send(['-V', 'a b', 'b'], '')).envelope?.envid, 'a b');
  });

  it('takes -V with two characters for VERP, with a warning', async () => {
    const { output, envelope } = await send(['-V=+', 'b'], '');
    assert.equal(envelope?.verp, '=+');
    assert.match(output, /option -V=\+ is deprecated with Postfix 2\.3; specify -XV=\+ instead\n$/);
  });

  it('does nothing with an interval that is not for a daemon', async () => {
    for (const args of [
      ['-q5', 'b'],
      ['-q30m', '-t'],
      ['-bs', '-q5'],
    ]) {
      const { status, output, envelope } = await send(args, 'x\n');
      assert.deepEqual([status, output, envelope], [0, '', undefined], args.join(' '));
    }
  });

  it('mails a report for -bv', async () => {
    const { output, envelope, content } = await send(['-bv', 'a', 'b']);
    assert.equal(output, 'Mail Delivery Status Report will be mailed to <root>.\n');
    assert.equal(envelope?.trace, 'verify');
    assert.equal(content, 'From: root\nSubject: probe\nTo:\ta,\n\tb\n');
  });

  it('tells in the header of mail that came over -bs how it came', async () => {
    const { status, output, content, envelope } = await send(
      ['-bs'],
      'EHLO pc\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\n',
      'Subject: s\r\n\r\nbody\r\n.\r\nQUIT\r\n',
    );
    assert.equal(status, 0);
    assert.match(output, /^250 2\.0\.0 Ok: queued as [0-9A-F]+\r$/m);
    assert.deepEqual(envelope?.recipients, [{ address: 'b@y', notify: [], dsnOriginal: 'rfc822;b@y' }]);
    assert.match(
      content,
      /^Received: from pc \(localhost \[127\.0\.0\.1\]\)\n\tby mail\.example\.com \(Postfix\) with ESMTP id [0-9A-F]+\n\tfor <b@y>; .*\nSubject: s\n\nbody\n$/,
    );
  });

  it('holds no conversation over -bs with who may not submit mail', async () => {
    const file = join(directory, 'main.cf');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}authorized_submit_users = root\n`);
    let output = '';
    const status = await run(['-bs'], {
      stdout: (text) => void (output += text.toString()),
      stderr: (text) => void (output += text),
      stdin: (async function* () {})(),
      env: { MAIL_CONFIG: directory },
      uid: 1,
    });
    writeFileSync(file, before);
    assert.equal(status, 75);
    assert.match(output, /^sendmail: fatal: User \S+\(1\) is not allowed to submit mail\n$/);
  });

  it('takes no mail over -bs of who may not send as its sender', async () => {
    const file = join(directory, 'main.cf');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}local_login_sender_maps = inline:{ {root = a@x} }\n`);
    const mail = (sender: string): string => `MAIL FROM:<${sender}>\r\nRCPT TO:<b@y>\r\nDATA\r\nS: s\r\n\r\n.\r\n`;
    const { output, envelope } = await send(['-bs'], `EHLO pc\r\n${mail('a@x')}${mail('c@x')}QUIT\r\n`);
    writeFileSync(file, before);
    assert.match(output, /^250 2\.0\.0 Ok: queued as/m);
    assert.match(output, /^451 4\.3\.0 Error: not authorized to use sender='c@x'\r$/m);
    assert.equal(envelope?.sender, 'a@x');
  });

  it('says of -bs what is wrong with the settings that it needs', async () => {
    const file = join(directory, 'main.cf');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, `${before}smtpd_delay_reject = maybe\n`);
    const { status, output } = await send(['-bs'], 'QUIT\r\n');
    writeFileSync(file, before);
    assert.equal(status, 75);
    assert.match(output, /^sendmail: fatal: .*smtpd_delay_reject.*\n$/);
  });

  it('keeps for each recipient what is asked for it over -bs', async () => {
    const { envelope } = await send(
      ['-bs'],
      'EHLO pc\r\nMAIL FROM:<a@x> RET=HDRS ENVID=e\r\nRCPT TO:<b@y> NOTIFY=NEVER ORCPT=rfc822;o+2Bp@y\r\n',
      'RCPT TO:<c@y> NOTIFY=SUCCESS,FAILURE\r\nRCPT TO:<d@y>\r\nDATA\r\nS: s\r\n\r\n.\r\nQUIT\r\n',
    );
    assert.deepEqual([envelope?.ret, envelope?.envid], ['hdrs', 'e']);
    assert.deepEqual(envelope?.recipients, [
      { address: 'b@y', notify: ['never'], dsnOriginal: 'rfc822;o+p@y' },
      { address: 'c@y', notify: ['success', 'failure'], dsnOriginal: 'rfc822;c@y' },
      { address: 'd@y', notify: [], dsnOriginal: 'rfc822;d@y' },
    ]);
  });

  it('leaves nothing of mail whose conversation breaks off', async () => {
    const { envelope } = await send(['-bs'], 'EHLO pc\r\nMAIL FROM:<a@x>\r\nRCPT TO:<b@y>\r\nDATA\r\nSubject: s\r\n');
    assert.equal(envelope, undefined);
  });
});
