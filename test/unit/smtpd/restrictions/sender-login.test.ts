import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Bench, withBench } from './bench.ts';

const maps =
  'smtpd_sender_login_maps = inline:{ {ann@example.com=ann} {both@example.com=bob, ANN} {@owned.example=bob} {root=root} {none@example.com=} }';

const asking = (restrictions: string): string =>
  `recipient_delimiter = +\nmyorigin = example.com\n${maps}\nsmtpd_sender_restrictions = ${restrictions}`;

/** What each sender comes to: who it would have to be, or ok. */
async function verdicts(bench: Bench, saslUsername: string, ...senders: readonly string[]): Promise<readonly string[]> {
  const said: string[] = [];
  for (const sender of senders) {
    const reply = await bench.ask('rcpt', { sender, saslUsername, saslMethod: 'PLAIN', canLogIn: true });
    said.push(reply.replace(/^553 5\.7\.1 <.*>: Sender address rejected: /, ''));
  }
  return said;
}

describe('reject_sender_login_mismatch', () => {
  it('takes an address from its owners alone, and from nobody one that has no owner', () =>
    withBench(asking('reject_sender_login_mismatch'), async (bench) => {
      const senders = ['ann@example.com', 'both@example.com', 'x@owned.example', 'x@example.com', ''];
      assert.deepEqual(await verdicts(bench, 'ann', ...senders), [
        'ok',
        'ok',
        'not owned by user ann',
        'not owned by user ann',
        'ok',
      ]);
      assert.deepEqual(await verdicts(bench, '', ...senders), [
        'not logged in',
        'not logged in',
        'not logged in',
        'ok',
        'ok',
      ]);
    }));

  it('looks addresses up without extension, and local ones without domain', () =>
    withBench(asking('reject_sender_login_mismatch'), async (bench) => {
      const senders = [
        'ann+list@example.com',
        'ANN@example.com',
        'root+x@example.com',
        'root',
        'root@elsewhere.example',
      ];
      assert.deepEqual(await verdicts(bench, 'ann', ...senders.slice(0, 2)), ['ok', 'ok']);
      assert.deepEqual(await verdicts(bench, 'Root', ...senders.slice(2)), ['ok', 'ok', 'not owned by user Root']);
    }));

  it('asks tables that tell capitals from small letters in small ones', () =>
    withBench(
      'smtpd_sender_login_maps = regexp:{{/^[a-z@.]+$$/i ann}}\nsmtpd_sender_restrictions = reject_sender_login_mismatch',
      async (bench) => assert.deepEqual(await verdicts(bench, 'ann', 'ANN@Example.COM'), ['ok']),
    ));

  it('leaves to its halves one kind of client each', async () => {
    await withBench(asking('reject_authenticated_sender_login_mismatch'), async (bench) => {
      assert.deepEqual(await verdicts(bench, '', 'ann@example.com'), ['ok']);
      assert.deepEqual(await verdicts(bench, 'bob', 'ann@example.com'), ['not owned by user bob']);
    });
    await withBench(asking('reject_unauthenticated_sender_login_mismatch'), async (bench) => {
      assert.deepEqual(await verdicts(bench, '', 'ann@example.com'), ['not logged in']);
      assert.deepEqual(await verdicts(bench, 'bob', 'ann@example.com'), ['ok']);
    });
  });

  it('lets what nobody owns pass as reject_known_sender_login_mismatch', () =>
    withBench(asking('reject_known_sender_login_mismatch'), async (bench) => {
      assert.deepEqual(await verdicts(bench, 'ann', 'x@example.com', 'x@owned.example'), [
        'ok',
        'not owned by user ann',
      ]);
      assert.deepEqual(await verdicts(bench, '', 'x@example.com', 'x@owned.example'), ['ok', 'not logged in']);
    }));

  it('refuses every address of a client that has logged in, where no table says who owns what', () =>
    withBench('smtpd_sender_restrictions = reject_sender_login_mismatch', async (bench) => {
      assert.deepEqual(await verdicts(bench, 'ann', 'ann@example.com'), ['not owned by user ann']);
      assert.deepEqual(await verdicts(bench, '', 'ann@example.com'), ['ok']);
    }));

  it('puts mail off when the table fails or says nothing', async () => {
    await withBench(asking('reject_sender_login_mismatch'), async (bench) => {
      assert.deepEqual(await verdicts(bench, 'ann', 'none@example.com'), ['451 4.3.5 Server configuration error']);
      assert.deepEqual(bench.log.slice(0, 2), [
        'warning: smtpd_sender_login_maps lookup of none@example.com returns an empty string result',
        'warning: smtpd_sender_login_maps should return NO RESULT in case of NOT FOUND',
      ]);
    });
    const broken = 'smtpd_sender_login_maps = fail:it\nsmtpd_sender_restrictions = reject_sender_login_mismatch';
    await withBench(broken, async (bench) => {
      assert.deepEqual(await verdicts(bench, '', 'a@b.example'), ['451 4.3.0 <a@b.example>: Temporary lookup failure']);
    });
  });

  it('is passed over with a warning where nobody can log in', () =>
    withBench(asking('reject_sender_login_mismatch'), async (bench) => {
      assert.equal(await bench.ask('rcpt', { sender: 'ann@example.com' }), 'ok');
      assert.deepEqual(bench.log, [
        "warning: restriction `reject_authenticated_sender_login_mismatch' ignored: no SASL support",
        "warning: restriction `reject_unauthenticated_sender_login_mismatch' ignored: no SASL support",
      ]);
    }));
});

describe('a login', () => {
  const table = 'smtpd_recipient_restrictions = check_sasl_access inline:{ {ann=REJECT} {bob=OK} }, reject';

  it('is looked up by check_sasl_access, and named in the log', () =>
    withBench(`smtpd_sasl_auth_enable = yes\n${table}`, async (bench) => {
      const ask = (saslUsername: string): Promise<string> =>
        bench.ask('rcpt', { saslUsername, saslMethod: 'LOGIN', canLogIn: true });
      assert.equal(await ask('ann'), '554 5.7.1 <ann>: SASL login name rejected: Access denied');
      assert.match(bench.log[0] ?? '', / helo=<client\.example\.net> sasl_method=LOGIN sasl_username=ann$/);
      assert.equal(await ask('bob'), 'ok');
      assert.match(await ask(''), /^554 5\.7\.1 <b@example\.com>: Recipient address rejected: /);
    }));

  it('means nothing to check_sasl_access where logins are off', () =>
    withBench(table, async (bench) => {
      await bench.ask('rcpt', { saslUsername: 'bob', saslMethod: 'XCLIENT' });
      assert.equal(bench.log[0], "warning: restriction `check_sasl_access' ignored: no SASL support");
    }));

  it('that anybody can make permits nothing', () =>
    withBench('smtpd_recipient_restrictions = permit_sasl_authenticated, reject', async (bench) => {
      const ask = (saslMethod: string): Promise<string> =>
        bench.ask('rcpt', { saslUsername: 'anonymous', saslMethod, canLogIn: true });
      assert.match(await ask('Anonymous'), /^554 /);
      assert.equal(await ask('PLAIN'), 'ok');
    }));
});
