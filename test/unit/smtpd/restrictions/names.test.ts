import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withBench } from './bench.ts';

describe('a name that ends in a dot', () => {
  it('is one that DNS does not know', () =>
    withBench(
      'smtpd_helo_restrictions = reject_invalid_helo_hostname, reject_unknown_helo_hostname',
      async (bench) => {
        assert.equal(await bench.ask('rcpt', { helo: 'h.example' }), 'ok');
        assert.equal(
          await bench.ask('rcpt', { helo: 'h.example.' }),
          '450 4.7.1 <h.example.>: Helo command rejected: Host not found',
        );
      },
      { 'h.example A': ['192.0.2.1'], 'h.example. A': ['192.0.2.1'] },
    ));
});

describe('restrictions about names', () => {
  it('look a name in the greeting up, whatever it looks like, and check the syntax of literals', () =>
    withBench(
      'smtpd_helo_restrictions = reject_unknown_helo_hostname',
      async (bench) => {
        const said = async (helo: string): Promise<string> =>
          (await bench.ask('rcpt', { helo })).replace(/<.*>: Helo command rejected: /, '');
        assert.equal(await said('mx.example'), 'ok');
        assert.equal(await said('null.example'), 'ok');
        assert.equal(await said('-x'), '450 4.7.1 Host not found');
        assert.equal(await said('bad.example'), '450 4.7.1 Malformed DNS server reply');
        assert.equal(await said('[192.0.2.1'), '501 5.5.2 invalid ip address');
      },
      { 'mx.example MX': ['10 x.example'], 'null.example MX': 'nullMx', 'bad.example MX': 'invalid' },
    ));

  it('look up where an address leads, in ASCII, and the name of it that failed for now last', () =>
    withBench(
      'smtpd_sender_restrictions = reject_unknown_sender_domain\nunknown_address_tempfail_action = defer',
      async (bench) => {
        const said = async (sender: string): Promise<string> =>
          (await bench.ask('rcpt', { sender })).replace(/<.*>: Sender address rejected: /, '');
        assert.equal(await said('u@xn--grn-ioa.example'), 'ok');
        assert.equal(await said('u@grün.example'), 'ok');
        assert.equal(await said('u%nowhere.example@example.com'), '450 4.1.8 Domain not found');
        assert.equal(await said('u@temp.example'), '450 4.1.8 Domain not found');
        assert.equal(await said('u@null.example'), '550 5.7.27 Domain null.example does not accept mail (nullMX)');
        assert.equal(await said('u@example.com'), 'ok');
        assert.equal(await said('u@[192.0.2.1]'), 'ok');
      },
      { 'xn--grn-ioa.example A': ['192.0.2.1'], 'temp.example A': 'tryAgain', 'null.example MX': 'nullMx' },
    ));

  it('want full names, of addresses in any script', () =>
    withBench('smtpd_recipient_restrictions = reject_non_fqdn_sender, reject_non_fqdn_helo_hostname', async (bench) => {
      assert.equal(await bench.ask('rcpt', { sender: 'u@grün.example' }), 'ok');
      assert.match(await bench.ask('rcpt', { sender: 'u@host' }), /^504 5\.5\.2 <u@host>: Sender address rejected/);
      assert.match(await bench.ask('rcpt', { helo: '[x]' }), /^501 5\.5\.2 .*invalid ip address$/);
      assert.equal(await bench.ask('rcpt', { helo: 'host.example.' }), 'ok');
    }));

  it('see a bounce to several recipients when the second one comes', () =>
    withBench('smtpd_recipient_restrictions = reject_multi_recipient_bounce', async (bench) => {
      assert.equal(await bench.ask('rcpt', { sender: '', recipientCount: 0 }), 'ok');
      assert.match(await bench.ask('rcpt', { sender: '', recipientCount: 1 }), /^550 5\.5\.3/);
    }));
});

describe('permit_mx_backup', () => {
  const main =
    'proxy_interfaces = 192.0.2.26\npermit_mx_backup_networks = 198.51.100.0/24\nsmtpd_relay_restrictions = permit_mx_backup, reject_unauth_destination';
  const zone = {
    'good.example MX': ['10 first.example', '20 here.example'],
    'first.example A': ['198.51.100.1'],
    'here.example A': ['192.0.2.26'],
    'local.example MX': ['10 first.example', '20 example.com'],
    'primary.example MX': ['10 here.example', '20 first.example'],
    'temp.example MX': 'tryAgain',
    'far.example MX': ['10 far.example', '20 here.example'],
    'far.example A': ['203.0.113.1'],
    'half.example MX': ['10 lost.example', '20 here.example'],
  } as const;

  it('permits where we are listed behind a host of the named networks', () =>
    withBench(
      main,
      async (bench) => {
        const said = async (domain: string): Promise<string> =>
          (await bench.ask('rcpt', { recipient: `u@${domain}` })).replace(/<.*>: /, '');
        assert.equal(await said('good.example'), 'ok');
        assert.equal(await said('local.example'), 'ok');
        assert.equal(await said('primary.example'), '554 5.7.1 Relay access denied');
        assert.equal(await said('far.example'), '554 5.7.1 Relay access denied');
        assert.equal(
          await said('temp.example'),
          '450 4.4.4 Recipient address rejected: Unable to look up mail exchanger information: Host not found, try again',
        );
        assert.equal(
          await said('half.example'),
          '450 4.4.4 Recipient address rejected: Unable to look up mail exchanger host lost.example: Name or service not known',
        );
        assert.equal(bench.log.filter((line) => line.includes('"permit_mx_backup" will be removed')).length, 1);
      },
      zone,
    ));

  it("knows us by the service's own mydestination, whatever the route goes by", async () => {
    const said = async (service: string, routing: string): Promise<string> => {
      let reply = '';
      await withBench(
        `mydestination = ${service}\n${main}`,
        async (bench) => {
          reply = await bench.ask('rcpt', { recipient: 'u@named.example' });
        },
        {
          ...zone,
          'named.example MX': ['10 first.example', '20 backup.example'],
          'backup.example A': ['198.51.100.2'],
        },
        'mydestination',
        `mydestination = ${routing}`,
      );
      return reply;
    };
    assert.equal(await said('backup.example', 'example.com'), 'ok');
    assert.match(await said('example.com', 'backup.example'), /Relay access denied$/);
  });
});
