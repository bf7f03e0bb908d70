import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withBench } from './bench.ts';

describe('lists without an end', () => {
  it('are refused with what the table says, or the class when there is none', () =>
    withBench(
      `smtpd_restriction_classes = one two self
one = two
two = check_sender_access inline:{{a@example.net=one}}
self = self
smtpd_recipient_restrictions = check_helo_access inline:{{one=one} {self=self}}`,
      async (bench) => {
        assert.equal(await bench.ask('rcpt', { helo: 'one' }), '451 4.3.5 Server configuration error');
        assert.equal(await bench.ask('rcpt', { helo: 'self' }), '451 4.3.5 Server configuration error');
        assert.deepEqual(
          bench.log.filter((line) => line.startsWith('warning')),
          [
            'warning: access table inline:{{a@example.net=one}} entry one causes unreasonable recursion',
            'warning: restriction class self: unreasonable recursion',
          ],
        );
      },
    ));
});

describe('a table of recipients', () => {
  it('with an empty result is a mistake of ours', () =>
    withBench('relay_recipient_maps = inline:{{u@relay.example= } {w@relay.example=x}}', async (bench) => {
      assert.deepEqual(await bench.recipients('u@relay.example', 'w@relay.example'), [
        '451 4.3.5 Server configuration error',
        'ok',
      ]);
    }));
});

describe('restriction lists', () => {
  it('are asked client, HELO, sender, relay, recipient; the first refusal counts', () =>
    withBench(
      `smtpd_client_restrictions = check_client_access inline:{{192.0.2.2=REJECT client}}
smtpd_helo_restrictions = check_helo_access inline:{{bad.example=REJECT helo}}
smtpd_sender_restrictions = check_sender_access inline:{{s@x.example=REJECT sender}}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access inline:{{r@example.com=REJECT recipient}}`,
      async (bench) => {
        const all = { helo: 'bad.example', sender: 's@x.example', recipient: 'r@elsewhere.example' };
        const client = { address: '192.0.2.2' };
        assert.match(await bench.ask('rcpt', { ...all, client }), /Client host rejected: client$/);
        assert.match(await bench.ask('rcpt', all), /Helo command rejected: helo$/);
        assert.match(await bench.ask('rcpt', { ...all, helo: undefined }), /Sender address rejected: sender$/);
        assert.match(await bench.ask('rcpt', { recipient: 'r@elsewhere.example' }), /Relay access denied$/);
        assert.match(await bench.ask('rcpt', { recipient: 'r@example.com' }), /Recipient address rejected: recipient$/);
        assert.equal(await bench.ask('rcpt'), 'ok');
      },
    ));

  it('name the port of a client where it is logged', () =>
    withBench('smtpd_client_restrictions = reject', async (bench) => {
      const clientText = 'c.example.net[192.0.2.1]:4000';
      assert.equal(
        await bench.ask('rcpt', { clientText }),
        `554 5.7.1 <${clientText}>: Client host rejected: Access denied`,
      );
    }));

  it('say nothing of a HELO that never came, nor of a sender before MAIL', () =>
    withBench('smtpd_helo_restrictions = reject\nsmtpd_sender_restrictions = reject', async (bench) => {
      assert.equal(await bench.ask('vrfy', { helo: undefined, sender: undefined, recipient: 'b@example.com' }), 'ok');
    }));

  it('share what defer_if_reject puts off between relay and recipient, and with no other', () =>
    withBench(
      `smtpd_relay_before_recipient_restrictions = no
smtpd_sender_restrictions = check_sender_access inline:{{s@x.example=defer_if_reject}}
smtpd_recipient_restrictions = check_recipient_access inline:{{u@y.example=defer_if_reject}}
smtpd_relay_restrictions = reject_unauth_destination`,
      async (bench) => {
        assert.match(await bench.ask('rcpt', { recipient: 'u@y.example' }), /^450 4\.7\.1 .*Service unavailable$/);
        assert.match(await bench.ask('rcpt', { sender: 's@x.example', recipient: 'v@y.example' }), /^554 5\.7\.1/);
      },
    ));

  it('keep a deferral of an early stage for the recipient, but not for DATA', () =>
    withBench(
      `smtpd_delay_reject = no
smtpd_client_restrictions = check_client_access inline:{{192.0.2.2=DEFER_IF_PERMIT odd}}`,
      async (bench) => {
        const client = { address: '192.0.2.2' };
        assert.equal(await bench.ask('connect', { client }), 'ok');
        assert.equal(await bench.ask('mail', { client, helo: undefined }), 'ok');
        assert.match(await bench.ask('rcpt', { client }), /^450 4\.7\.1 .*Client host rejected: odd$/);
        assert.equal(await bench.ask('data', { client }), 'ok');
        assert.match(await bench.ask('etrn', { client, etrnDomain: 'example.com' }), /^450 4\.7\.1 .*: odd$/);
      },
    ));

  it('say a deferral before the implicit check of the recipient', () =>
    withBench(
      `local_recipient_maps = inline:{b=x}
smtpd_recipient_restrictions = check_recipient_access inline:{{later@example.com=DEFER_IF_PERMIT}}`,
      async (bench) => {
        assert.deepEqual(
          (await bench.recipients('later@example.com', 'nosuch@example.com', 'b@example.com')).map((text) =>
            text.slice(0, 9),
          ),
          ['450 4.7.1', '550 5.1.1', 'ok'],
        );
      },
    ));

  it('check the sender before they get to the recipient', () =>
    withBench(
      'smtpd_reject_unlisted_sender = yes\nlocal_recipient_maps = inline:{b=x}\nsmtpd_relay_restrictions = reject',
      async (bench) => {
        assert.match(
          await bench.ask('rcpt', { sender: 'nosuch@example.com' }),
          /^550 5\.1\.0 <nosuch@example\.com>: Sender address rejected: User unknown in local recipient table$/,
        );
      },
    ));

  it('look for an existing address in small letters, also where a table tells them from capitals', () =>
    withBench('local_recipient_maps = regexp:{{/^[a-z@.]+$$/i x}}', async (bench) => {
      assert.equal(await bench.ask('rcpt', { recipient: 'Bob@Example.COM' }), 'ok');
    }));

  it("go by the service's own mydestination for keys without domain, whatever the route goes by", async () => {
    const known = async (service: string): Promise<boolean> => {
      let reply = '';
      await withBench(
        `mydestination = ${service}\nlocal_recipient_maps = inline:{b=x}`,
        async (bench) => {
          reply = await bench.ask('rcpt', { recipient: 'b@example.com' });
        },
        {},
        'mydestination',
        'mydestination = example.com',
      );
      if (reply !== 'ok') assert.match(reply, /^550 5\.1\.1 .* User unknown in local recipient table$/);
      return reply === 'ok';
    };
    assert.deepEqual([await known('example.com'), await known('other.example')], [true, false]);
  });

  it('say of an address in an alias domain what its route says, with a code of its own', () =>
    withBench(
      `virtual_alias_domains = alias.example
relocated_maps = inline:{{a@alias.example=b@far.example}}
unknown_virtual_alias_reject_code = 451`,
      async (bench) => {
        const ask = (recipient: string): Promise<string> => bench.ask('rcpt', { recipient });
        assert.equal(
          await ask('a@alias.example'),
          '451 4.1.6 <a@alias.example>: Recipient address rejected: User has moved to b@far.example',
        );
        assert.match(await ask('c@alias.example'), /^451 4\.1\.1 .* User unknown in virtual alias table$/);
      },
    ));

  it('count an existence check under warn_if_reject as not made', () =>
    withBench(
      'local_recipient_maps = inline:{b=x}\nsmtpd_recipient_restrictions = warn_if_reject reject_unlisted_recipient',
      async (bench) => {
        assert.match(await bench.ask('rcpt', { recipient: 'c@example.com' }), /^550 5\.1\.1/);
        assert.equal(bench.log.filter((line) => line.includes('reject_warning')).length, 1);
      },
    ));

  it('refuse nothing of a message that is thrown away', () =>
    withBench(
      `smtpd_client_restrictions = check_client_access inline:{{192.0.2.2=DISCARD}}
smtpd_relay_restrictions = reject
smtpd_data_restrictions = reject`,
      async (bench) => {
        const client = { address: '192.0.2.2' };
        assert.equal(await bench.ask('rcpt', { client }), 'ok discard');
        assert.equal(await bench.ask('rcpt', { client: {}, isDiscarded: true }), 'ok');
        assert.equal(await bench.ask('data', { isDiscarded: true }), 'ok');
      },
    ));

  it('warn of what stands behind a permit, a reject or a defer that is reached', () =>
    withBench(
      `smtpd_client_restrictions = permit, reject_unknown_client_hostname
smtpd_recipient_restrictions = warn_if_reject reject, reject, warn_if_reject defer`,
      async (bench) => {
        assert.match(await bench.ask('rcpt'), /^554/);
        assert.deepEqual(
          bench.log.filter((line) => line.includes('ignored')),
          [
            "warning: restriction `reject_unknown_client_hostname' after `permit' is ignored",
            "warning: restriction `warn_if_reject' after `reject' is ignored",
          ],
        );
      },
    ));

  it('do not soften trouble of ours with warn_if_reject', () =>
    withBench('smtpd_recipient_restrictions = warn_if_reject nosuch_name', async (bench) => {
      assert.equal(await bench.ask('rcpt'), '451 4.3.5 Server configuration error');
    }));

  it('correct a code that is none, and soften permanent refusals with soft_bounce', async () => {
    await withBench('smtpd_recipient_restrictions = reject\nreject_code = 250', async (bench) => {
      assert.equal(await bench.ask('rcpt'), '450 4.7.1 Service unavailable');
      assert.match(bench.log[0] ?? '', /^warning: SMTP reply code configuration error: 250 5\.7\.1 </);
    });
    await withBench('smtpd_recipient_restrictions = reject\nreject_code = 250\nsoft_bounce = yes', async (bench) => {
      await bench.ask('rcpt');
      assert.match(bench.log[0] ?? '', /^warning: SMTP reply code configuration error: 250 4\.7\.1 </);
    });
    await withBench(
      'smtpd_recipient_restrictions = warn_if_reject reject, reject\nsoft_bounce = yes',
      async (bench) => {
        assert.match(await bench.ask('rcpt'), /^454 4\.7\.1 /);
        assert.ok(bench.log.every((line) => line.includes(' 454 4.7.1 ')));
      },
    );
  });

  it('tell of no permit that a deferral overrules', () =>
    withBench(
      `smtpd_log_access_permit_actions = static:all
smtpd_recipient_restrictions = check_recipient_access inline:{{later@example.com=defer_if_permit}}, permit_auth_destination`,
      async (bench) => {
        await bench.recipients('b@example.com', 'later@example.com');
        assert.deepEqual(
          bench.log.map((line) => /(?:permit|reject): RCPT from \S+ (\S+)/.exec(line)?.[1]),
          ['action=permit_auth_destination', '450'],
        );
      },
    ));

  it('read old names, and refuse with the names that have gone', () =>
    withBench(
      `smtpd_restriction_classes = naked, domains, rbl
naked = permit_naked_ip_address
domains = check_relay_domains
rbl = reject_maps_rbl
smtpd_recipient_restrictions = check_recipient_access inline:{{1@example.com=naked} {2@example.com=domains} {3@example.com=rbl}}, check_recipient_maps, reject_unknown_client`,
      async (bench) => {
        await bench.recipients('1@example.com', '2@example.com', '3@example.com');
        assert.deepEqual(
          bench.log
            .filter((line) => line.startsWith('warning'))
            .map((line) => /instead, specify (.*)$/.exec(line)?.[1]),
          [
            '"permit_mynetworks or permit_sasl_authenticated"',
            '"reject_unauth_destination"',
            '"reject_rbl_client domain-name"',
          ],
        );
        assert.match(await bench.ask('rcpt', { client: { name: 'unknown' } }), /^450 4\.7\.25 Client host rejected/);
      },
    ));

  it('give up on a class that leads back to itself', () =>
    withBench(
      `smtpd_restriction_classes = loop, round
loop = loop
round = check_recipient_access inline:{{r@example.com=round}}
smtpd_recipient_restrictions = check_recipient_access inline:{{l@example.com=loop} {r@example.com=round}}`,
      async (bench) => {
        assert.deepEqual(await bench.recipients('l@example.com', 'r@example.com'), [
          '451 4.3.5 Server configuration error',
          '451 4.3.5 Server configuration error',
        ]);
        assert.match(bench.log.join('\n'), /entry round causes unreasonable recursion/);
      },
    ));

  it('forget a deferral of the client when VRFY comes without a sender', () =>
    withBench('smtpd_client_restrictions = defer_if_permit', async (bench) => {
      assert.equal(await bench.ask('vrfy', { sender: undefined, recipient: 'b@example.com' }), 'ok');
      assert.match(await bench.ask('vrfy', { recipient: 'b@example.com' }), /^450 4\.7\.0/);
    }));

  it('say which details of a code fit a sender, a recipient and neither', () =>
    withBench(
      `smtpd_helo_restrictions = check_helo_access inline:{{h.example=REJECT 5.1.1}}
smtpd_sender_restrictions = check_sender_access inline:{{a@x.example=REJECT 5.1.1} {b@x.example=REJECT 4.1.2}}
smtpd_recipient_restrictions = check_recipient_access inline:{{a@example.com=REJECT 5.1.7} {b@example.com=REJECT 5.1.10}}`,
      async (bench) => {
        const code = async (facts: Parameters<typeof bench.ask>[1]): Promise<string> =>
          (await bench.ask('rcpt', facts)).slice(0, 9);
        assert.equal(await code({ helo: 'h.example' }), '554 5.0.0');
        assert.equal(await code({ sender: 'a@x.example' }), '554 5.1.7');
        assert.equal(await code({ sender: 'b@x.example' }), '554 5.1.8');
        assert.equal(await code({ recipient: 'a@example.com' }), '554 5.1.3');
        assert.equal(await code({ recipient: 'b@example.com' }), '554 5.1.0');
        assert.ok(bench.log.includes('mapping DSN status 4.1.2 into Sender address status 4.1.8'));
      },
    ));

  it('tell of defaults that only an old compatibility level has', async () => {
    const lists =
      'smtpd_recipient_restrictions = check_recipient_access inline:{{e@y.example=OK} {r@example.com=REJECT}}, reject_unauth_destination';
    const notes = async (level: string, recipient: string): Promise<readonly string[]> => {
      let found: readonly string[] = [];
      await withBench(
        `compatibility_level = ${level}\n${lists}`,
        async (bench) => {
          await bench.ask('rcpt', { recipient });
          found = bench.log.flatMap(
            (line) => /^using backwards-compatible default setting (.*) to /.exec(line)?.[1] ?? [],
          );
        },
        {},
        'smtpd_relay_restrictions',
      );
      return found;
    };
    assert.deepEqual(await notes('0', 'e@y.example'), ['"smtpd_relay_restrictions = (empty)"']);
    assert.deepEqual(await notes('0', 'r@example.com'), ['smtpd_relay_before_recipient_restrictions=no']);
    assert.deepEqual(await notes('3.5', 'r@example.com'), ['smtpd_relay_before_recipient_restrictions=no']);
    assert.deepEqual(await notes('3.6', 'r@example.com'), []);
  });
});
