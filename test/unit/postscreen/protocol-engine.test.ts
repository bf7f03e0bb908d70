import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { Screening, type Setup } from './screening.ts';

const deepTests =
  'postscreen_pipelining_enable = yes\npostscreen_non_smtp_command_enable = yes\npostscreen_bare_newline_enable = yes\n';

describe('the SMTP engine of postscreen', () => {
  let screening: Screening;
  const start = async (mainCf = '', setup: Setup = {}): Promise<void> => {
    screening = await Screening.start({ mainCf: deepTests + mainCf, ...setup });
  };
  const logged = (): readonly string[] =>
    screening.log
      .filter((line) => !/^(?:CONNECT|cache )/.test(line))
      .map((line) => line.replaceAll('[127.0.0.1]:P', 'C'));
  /** The replies behind the greeting. */
  const replies = async (...steps: readonly string[]): Promise<readonly string[]> => {
    const heard = await screening.talk(steps.map((step) => `${step}\r\n`));
    return heard.split('\r\n').slice(2, -1);
  };
  afterEach(() => screening.stop());

  it('defers the recipients of a client that passes, and serves it the next time', async () => {
    await start();
    assert.deepEqual(await replies('EHLO x', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'QUIT'), [
      '250-mail.example.com',
      '250-SIZE 10240000',
      '250-VRFY',
      '250-ETRN',
      '250-ENHANCEDSTATUSCODES',
      '250-8BITMIME',
      '250-DSN',
      '250-SMTPUTF8',
      '250 CHUNKING',
      '250 2.1.0 Ok',
      '450 4.3.2 Service currently unavailable',
      '221 2.0.0 Bye',
    ]);
    assert.match(await screening.talk(['NOOP\r\n']), /^220 served/);
    assert.deepEqual(logged(), [
      'NOQUEUE: reject: RCPT from C: 450 4.3.2 Service currently unavailable; from=<a@b>, to=<c@d>, proto=ESMTP, helo=<x>',
      'PASS NEW C',
      'DISCONNECT C',
      'PASS OLD C',
    ]);
  });

  it('takes a client that once said EHLO for one that speaks ESMTP', async () => {
    await start();
    await replies('EHLO x', 'HELO y', 'MAIL FROM:<a@b>', 'RCPT TO:<c@d>', 'QUIT');
    assert.match(logged()[0] ?? '', /proto=ESMTP, helo=<y>$/);
  });

  it('admits nobody who never came to a recipient', async () => {
    await start();
    await replies('EHLO x', 'MAIL FROM:<a@b>', 'QUIT');
    assert.match(
      await screening.talk(['QUIT\r\n']),
      /^220 mail\.example\.com ESMTP\r\n221/,
      'only the first test is passed',
    );
    assert.deepEqual(logged(), ['DISCONNECT C', 'DISCONNECT C']);
  });

  it('knows the commands and their syntax', async () => {
    await start('postscreen_helo_required = yes\ndisable_vrfy_command = yes\n');
    const asked = [
      ['MAIL FROM:<a>', '503 5.5.1 Error: send HELO/EHLO first'],
      ['HELO', '501 Syntax: HELO hostname'],
      ['HELO x', '250 mail.example.com'],
      ['RCPT TO:<a>', '503 5.5.1 Error: need MAIL command'],
      ['MAIL x', '501 5.5.4 Syntax: MAIL FROM:<address>'],
      ['mail from:<a> SIZE=1', '250 2.1.0 Ok'],
      ['MAIL FROM:<b>', '503 5.5.1 Error: nested MAIL command'],
      ['RCPT x', '501 5.5.4 Syntax: RCPT TO:<address>'],
      ['VRFY x', '502 5.5.1 VRFY command is disabled'],
      ['ETRN', '500 Syntax: ETRN domain'],
      ['ETRN x', '458 Unable to queue messages'],
      ['STARTTLS', '502 5.5.1 Error: command not implemented'],
      ['AUTH PLAIN', '502 5.5.2 Error: command not recognized'],
      ['', '502 5.5.2 Error: command not recognized'],
      ['RSET', '250 2.0.0 Ok'],
      ['QUIT x', '221 2.0.0 Bye'],
    ] as const;
    const heard = await replies(...asked.map(([command]) => command));
    assert.deepEqual(
      heard,
      asked.map(([, reply]) => reply),
    );
  });

  it('ends the session at content that nobody accepted', async () => {
    await start();
    assert.deepEqual(await replies('HELO x', 'MAIL FROM:<a@b>', 'DATA'), [
      '250 mail.example.com',
      '250 2.1.0 Ok',
      '554 5.5.1 Error: no valid recipients',
    ]);
  });

  it('takes what follows BDAT for its content, and asks nothing of its arguments', async () => {
    await start();
    const bdat = async (command: string): Promise<string | undefined> =>
      (await replies('HELO x', 'MAIL FROM:<a@b>', command)).at(-1);
    assert.equal(await bdat('BDAT 3 LAST\r\nab'), '554 5.5.1 Error: no valid recipients');
    assert.equal(await bdat('BDAT x y z'), '554 5.5.1 Error: no valid recipients');
    assert.equal(await bdat('BDAT'), '501 5.5.4 Syntax: BDAT count [LAST]');
    assert.ok(!logged().some((line) => line.includes('PIPELINING')));
  });

  it('drops who speaks HTTP', async () => {
    await start();
    assert.deepEqual(await replies('GET / HTTP/1.0'), ['521 5.7.0 Error: I can break rules, too. Goodbye.']);
    assert.deepEqual(logged(), ['NON-SMTP COMMAND from C after CONNECT: GET / HTTP/1.0', 'DISCONNECT C']);
  });

  it('refuses the recipients of who does not wait for replies', async () => {
    await start();
    assert.deepEqual((await replies('HELO x', 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>', 'RSET')).slice(0, 3), [
      '250 mail.example.com',
      '250 2.1.0 Ok',
      '550 5.5.1 Protocol error',
    ]);
    assert.equal(logged()[0], 'COMMAND PIPELINING from C after MAIL: RCPT TO:<c@d>\\r\\n');
  });

  it('only notes a bare newline, and repeats the test when any other result may expire', async () => {
    await start();
    await screening.talk(['HELO x\n', 'MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n', 'QUIT\r\n']);
    assert.equal(logged()[0], 'BARE NEWLINE from C after HELO x');
    assert.ok(logged().includes('PASS NEW C'));
  });

  it('takes back what was passed when a later command breaks the rules', async () => {
    await start('postscreen_bare_newline_action = enforce\n');
    await screening.talk(['HELO x\r\n', 'MAIL FROM:<a@b>\r\n', 'RCPT TO:<c@d>\r\n', 'NOOP\n', 'QUIT\r\n']);
    assert.ok(!logged().includes('PASS NEW C'));
    assert.match(await screening.talk(['QUIT\r\n']), /^220-/);
  });

  it('ends after so many commands', async () => {
    await start('postscreen_command_count_limit = 2\n');
    assert.deepEqual(await replies('NOOP', 'RSET', 'NOOP'), [
      '250 2.0.0 Ok',
      '250 2.0.0 Ok',
      '421 mail.example.com Service unavailable - try again later',
    ]);
    assert.equal(logged()[0], 'COMMAND COUNT LIMIT from C after RSET');
  });

  it('takes a QUIT beyond the limit of commands', async () => {
    await start('postscreen_command_count_limit = 2\n');
    assert.equal((await replies('NOOP', 'RSET', 'QUIT x')).at(-1), '221 2.0.0 Bye');
    assert.ok(!logged().some((line) => line.startsWith('COMMAND COUNT LIMIT')));
  });

  it('ends at a line that is too long', async () => {
    await start();
    assert.deepEqual(await replies(`NOOP ${'x'.repeat(3000)}`), [
      '421 mail.example.com Service unavailable - try again later',
    ]);
    assert.equal(logged()[0], 'COMMAND LENGTH LIMIT from C after CONNECT');
  });

  it('softens its refusals under soft_bounce', async () => {
    await start('soft_bounce = yes\n');
    assert.deepEqual(await replies('RCPT TO:<a>', 'QUIT'), ['403 4.5.1 Error: need MAIL command', '221 2.0.0 Bye']);
  });

  it('leaves keywords out for some clients and says so', async () => {
    await start('postscreen_discard_ehlo_keyword_address_maps = inline:{{127.0.0.1 = chunking, dsn}}\n');
    const lines = await replies('EHLO x', 'QUIT');
    assert.ok(!lines.some((line) => /DSN|CHUNKING/.test(line)), lines.join('|'));
    assert.match(logged()[0] ?? '', /^\[127\.0\.0\.1\]\S+ discarding EHLO keywords: DSN, CHUNKING$/);
  });
});
