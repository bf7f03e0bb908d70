import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withBench } from './bench.ts';

/** A recipient table in which each local part stands for one result. */
const results = (entries: string): string =>
  `smtpd_recipient_restrictions = check_recipient_access inline:{${entries}}, check_recipient_access static:{REJECT went on}`;

describe('access tables', () => {
  it('are asked about where an address leads, with and without extension, its domains, its local part', () =>
    withBench(
      `recipient_delimiter = +
smtpd_sender_restrictions = check_sender_access inline:{{u+x@a.b.example=REJECT full} {u@a.b.example=REJECT bare} {b.example=REJECT parent} {v@=REJECT local} {u@c.example=REJECT routed} {<>=REJECT null}}`,
      async (bench) => {
        const last = async (sender: string): Promise<string> =>
          (await bench.ask('rcpt', { sender })).split(' ').at(-1) ?? '';
        assert.equal(await last('u+x@a.b.example'), 'full');
        assert.equal(await last('u+y@a.b.example'), 'bare');
        assert.equal(await last('w@a.b.example'), 'parent');
        assert.equal(await last('v+z@elsewhere.example'), 'local');
        assert.equal(await last('u%c.example@example.com'), 'routed');
        assert.equal(await last(''), 'null');
        assert.equal(await last('w@elsewhere.example'), 'ok');
      },
    ));

  it('without a result for a key are a mistake, of which the log tells', () =>
    withBench(
      'smtpd_sender_restrictions = check_sender_access inline:{{example.net= } {a@example.org= }}, reject',
      async (bench) => {
        assert.equal(
          await bench.ask('rcpt', { sender: 'a@example.net' }),
          '451 4.3.5 <a@example.net>: Sender address rejected: Server configuration error',
        );
        assert.deepEqual(bench.log.slice(0, 2), [
          'warning: inline:{{example.net= } {a@example.org= }} lookup of example.net returns an empty string result',
          'warning: inline:{{example.net= } {a@example.org= }} should return NO RESULT in case of NOT FOUND',
        ]);
      },
    ));

  it('know addresses with quotes by the form that needs them, then without', () =>
    withBench(
      `recipient_delimiter = +
smtpd_null_access_lookup_key =
smtpd_sender_restrictions = check_sender_access inline:{{"u,v"@d.example=REJECT quoted} {u,v@d.example=REJECT bare} {w,x@d.example=REJECT unextended} {d.example=REJECT domain} {y,z@=REJECT local}}, check_sender_access regexp:{{/^q,r@/ REJECT pattern} {/^$$/ REJECT nobody}}`,
      async (bench) => {
        const last = async (sender: string): Promise<string> =>
          (await bench.ask('rcpt', { sender })).split(' ').at(-1) ?? '';
        assert.equal(await last('u,v@d.example'), 'quoted');
        assert.equal(await last('w,x+y@d.example'), 'unextended');
        assert.equal(await last('y,z@elsewhere.example'), 'local');
        assert.equal(await last('q,r@elsewhere.example'), 'pattern');
        assert.equal(await last(''), 'ok');
      },
    ));

  it('match subdomains by a leading dot where parents do not count', () =>
    withBench(
      `parent_domain_matches_subdomains =
smtpd_helo_restrictions = check_helo_access inline:{{b.example=REJECT itself} {.b.example=REJECT below}}`,
      async (bench) => {
        assert.match(await bench.ask('rcpt', { helo: 'b.example' }), /itself$/);
        assert.match(await bench.ask('rcpt', { helo: 'x.a.b.example' }), /below$/);
        assert.equal(await bench.ask('rcpt', { helo: 'ab.example' }), 'ok');
      },
    ));

  it('know a client by name, address and the networks around it', () =>
    withBench(
      'smtpd_client_restrictions = check_client_access inline:{{net.example=REJECT name} {192.0.2=REJECT net} {2001:db8=REJECT six}}',
      async (bench) => {
        assert.match(await bench.ask('rcpt', { client: { name: 'c.net.example' } }), /name$/);
        assert.match(await bench.ask('rcpt', { client: { address: '192.0.2.77' } }), /net$/);
        assert.match(await bench.ask('rcpt', { client: { address: '2001:db8::1' } }), /six$/);
        assert.equal(await bench.ask('rcpt', { client: { address: '192.0.3.1' } }), 'ok');
      },
    ));

  it('refuse with the code, the enhanced code and the text they give', () =>
    withBench(
      results(
        '{1@example.com=REJECT} {2@example.com=REJECT 5.1.8 no domain} {3@example.com=450 5.2.0 full} {4@example.com=DEFER} {5@example.com=521 bye} {6@example.com=reject 5.7.9}',
      ),
      async (bench) => {
        const said = (text: string, n: number): string =>
          text.replace(`<${n}@example.com>: Recipient address rejected: `, '');
        const replies = await bench.recipients(...[1, 2, 3, 4, 5, 6].map((n) => `${n}@example.com`));
        assert.deepEqual(
          replies.map((text, i) => said(text, i + 1)),
          [
            '554 5.7.1 Access denied',
            '554 5.1.2 no domain',
            '450 4.2.0 full',
            '450 4.7.1 Access denied',
            '521 5.7.1 bye',
            '554 5.7.9 Access denied',
          ],
        );
      },
    ));

  it('permit with OK, RELAY and digits; a code without a text is digits', () =>
    withBench(
      `smtpd_log_access_permit_actions = static:all\n${results('{1@example.com=Ok whatever} {2@example.com=relay} {3@example.com=550} {4@example.com=1700000000}')}`,
      async (bench) => {
        const replies = await bench.recipients(...[1, 2, 3, 4].map((n) => `${n}@example.com`));
        assert.deepEqual(replies, ['ok', 'ok', 'ok', 'ok']);
        assert.deepEqual(
          bench.log.map((line) => /action=(\S+) for/.exec(line)?.[1]),
          ['Ok', 'relay', '550', '1700000000'],
        );
      },
    ));

  it('do not let through what carries a route of its own', () =>
    withBench(
      'smtpd_recipient_restrictions = check_recipient_access inline:{{relay.example=permit}}, check_recipient_access inline:{{relay.example=OK}}, reject',
      async (bench) => {
        assert.deepEqual(
          (await bench.recipients('u@relay.example', 'u%x.example@relay.example')).map((text) => text.slice(0, 3)),
          ['ok', '554'],
        );
      },
    ));

  it('act on messages, hold them once, and put nothing in front of what is complete', () =>
    withBench(
      `${results('{1@example.com=HOLD} {2@example.com=FILTER smtp:[x]} {3@example.com=REDIRECT y@z.example} {4@example.com=BCC y@z.example} {5@example.com=PREPEND X-A: b}').replace(', check_recipient_access static:{REJECT went on}', '')}
smtpd_end_of_data_restrictions = check_sender_access inline:{{a@example.net=PREPEND X-A: b}}`,
      async (bench) => {
        assert.deepEqual(await bench.recipients(...[1, 2, 3, 4, 5].map((n) => `${n}@example.com`)), [
          'ok hold',
          'ok filter',
          'ok redirect',
          'ok bcc',
          'ok prepend',
        ]);
        assert.equal(await bench.ask('rcpt', { recipient: '1@example.com', isHeld: true }), 'ok');
        assert.equal(bench.log.filter((line) => line.includes('triggers HOLD')).length, 1);
        assert.equal(await bench.ask('endOfData'), 'ok');
        assert.match(bench.log.at(-1) ?? '', /action PREPEND must be used before smtpd_end_of_data_restrictions$/);
      },
    ));

  it('warn of actions without a value, at ETRN, and before there is a message', () =>
    withBench(
      `smtpd_delay_reject = no
smtpd_client_restrictions = check_client_access inline:{{192.0.2.1=HOLD}}
smtpd_etrn_restrictions = check_etrn_access inline:{{x.example=HOLD}}
${results('{1@example.com=FILTER} {2@example.com=FILTER smtp} {3@example.com=BCC y} {4@example.com=PREPEND y}').replace(', check_recipient_access static:{REJECT went on}', '')}`,
      async (bench) => {
        await bench.ask('connect');
        await bench.ask('etrn', { etrnDomain: 'x.example' });
        await bench.recipients(...[1, 2, 3, 4].map((n) => `${n}@example.com`));
        assert.deepEqual(
          bench.log.map((line) => line.replace(/^warning: access table inline:\S+(?: \{\S+=[^}]*\})*\S*:? /, '')),
          [
            'with smtpd_delay_reject=no, action HOLD is always skipped in Client host or Helo command restrictions',
            'action HOLD is unavailable in smtpd_etrn_restrictions',
            ...[
              'has FILTER entry without value',
              'requires transport:destination',
              'requires user@domain target',
              'requires header: text',
            ].map((text, i) => `entry "${i + 1}@example.com" ${text}`),
          ],
        );
      },
    ));

  it('do nothing but prepend to a message that goes to a filter instead of the queue', () =>
    withBench(
      `smtpd_proxy_filter = 127.0.0.1:9
smtpd_recipient_restrictions = check_recipient_access inline:{{1@example.com=HOLD} {2@example.com=PREPEND X-A: b}}`,
      async (bench) => {
        assert.deepEqual(await bench.recipients('1@example.com', '2@example.com'), ['ok', 'ok prepend']);
        assert.deepEqual(
          bench.log.map((line) => line.replace(/^.*: /, '')),
          ['with smtpd_proxy_filter specified, action HOLD is unavailable'],
        );
      },
    ));

  it('end the session without a reply with HANGUP', () =>
    withBench(results('{1@example.com=HANGUP so there}'), async (bench) => {
      assert.deepEqual(await bench.recipients('1@example.com'), ['gone: ']);
      assert.match(bench.log[0] ?? '', /hangup: RCPT from .*: so there;/);
    }));

  it('lead to further restrictions, but not to tables', () =>
    withBench(
      results('{1@example.com=reject_non_fqdn_sender, reject} {2@example.com=check_sender_access inline:{a=b}}'),
      async (bench) => {
        assert.deepEqual(await bench.recipients('1@example.com', '2@example.com'), [
          '554 5.7.1 <1@example.com>: Recipient address rejected: Access denied',
          '451 4.3.5 Server configuration error',
        ]);
        assert.ok(bench.log.includes('warning: do not specify lookup tables inside SMTPD access maps'));
      },
    ));

  it('must not permit by a name that nobody has verified', () =>
    withBench(
      'smtpd_client_restrictions = check_reverse_client_hostname_access inline:{{good.example=OK} {bad.example=REJECT}}',
      async (bench) => {
        assert.match(
          await bench.ask('rcpt', { client: { reverseName: 'bad.example' } }),
          /^554 5\.7\.1 <bad\.example>: Unverified Client host rejected: Access denied$/,
        );
        assert.match(await bench.ask('rcpt', { client: { reverseName: 'good.example' } }), /^451 4\.3\.5/);
        assert.ok(bench.log.includes('warning: this is not allowed for security reasons'));
      },
    ));
});

describe('checks of the hosts behind a name', () => {
  const zone = {
    'a.example MX': ['10 mx.a.example'],
    'mx.a.example A': ['198.51.100.1'],
    'plain.example A': ['198.51.100.1'],
    'null.example MX': 'nullMx',
    'ip.example MX': ['10 198.51.100.1'],
    'temp.example MX': 'tryAgain',
    'lost.example MX': ['10 mx.lost.example'],
    'ns.example NS': ['dns.bad.example'],
  } as const;

  it('judge mail exchangers by name and address; a domain without them is its own', () =>
    withBench(
      'smtpd_sender_restrictions = check_sender_mx_access inline:{{198.51.100=REJECT net} {mx.a.example=REJECT name}}',
      async (bench) => {
        const last = async (sender: string): Promise<string> =>
          (await bench.ask('rcpt', { sender })).split(' ').at(-1) ?? '';
        assert.equal(await last('u@a.example'), 'name');
        assert.equal(await last('u@plain.example'), 'net');
        assert.equal(await last('u@ip.example'), 'net');
        assert.equal(await last('u@[198.51.100.9]'), 'net');
        assert.equal(await last('u@null.example'), 'ok');
        assert.equal(await last('u@temp.example'), 'ok');
        assert.equal(await last('u@lost.example'), 'ok');
        assert.equal(await last(''), 'ok');
        assert.deepEqual(
          bench.log.filter((line) => line.startsWith('warning')),
          [
            'warning: Unable to look up MX host for temp.example: Host not found, try again',
            'warning: Unable to look up MX host mx.lost.example for Sender address u@lost.example: Name or service not known',
          ],
        );
      },
      zone,
    ));

  it('find the name servers of a parent domain', () =>
    withBench(
      'smtpd_helo_restrictions = check_helo_ns_access inline:{{bad.example=REJECT}}',
      async (bench) => {
        assert.match(
          await bench.ask('rcpt', { helo: 'x.y.ns.example' }),
          /^554 5\.7\.1 <x\.y\.ns\.example>: Helo command rejected/,
        );
        assert.equal(await bench.ask('rcpt', { helo: 'x.nowhere' }), 'ok');
        assert.equal(bench.log.at(-1), 'warning: Unable to look up NS host for x.nowhere: Host not found');
      },
      zone,
    ));

  it('know addresses only where addresses are asked for, and never permit', () =>
    withBench(
      `smtpd_client_restrictions = check_client_a_access inline:{{plain.example=REJECT name} {198.51.100.1=OK}}
smtpd_recipient_restrictions = CHECK_RECIPIENT_A_ACCESS inline:{{198.51.100=reject}}`,
      async (bench) => {
        assert.equal(await bench.ask('rcpt', { client: { name: 'unknown' } }), 'ok');
        assert.match(await bench.ask('rcpt', { client: { name: 'plain.example' } }), /^451 4\.3\.5/);
        assert.deepEqual(bench.log.slice(0, 2), [
          'warning: restriction check_client_a_access returns OK for plain.example',
          'warning: this is not allowed for security reasons',
        ]);
        assert.match(await bench.ask('rcpt', { recipient: 'u@plain.example' }), /^554 5\.7\.1 <u@plain\.example>/);
      },
      zone,
    ));
});
