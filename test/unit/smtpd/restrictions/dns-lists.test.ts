import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withBench } from './bench.ts';

describe('DNS lists', () => {
  it('are asked together and take effect as written', () =>
    withBench(
      'smtpd_client_restrictions = reject_rbl_client one.example, reject_rbl_client two.example, reject_rhsbl_client three.example',
      async (bench) => {
        assert.match(await bench.ask('rcpt'), /blocked using two\.example$/);
        assert.deepEqual(bench.asked, [
          '1.2.0.192.one.example A',
          '1.2.0.192.two.example A',
          'client.example.net.three.example A',
          '1.2.0.192.two.example TXT',
        ]);
      },
      { '1.2.0.192.two.example A': ['127.0.0.2'], 'client.example.net.three.example A': ['127.0.0.2'] },
    ));

  it('count answers that a filter lets through', () =>
    withBench(
      'smtpd_client_restrictions = reject_rbl_client bl.example=127.0.[1;3..5].2, reject_rbl_client bl.example=127.0.0.[4..9]',
      async (bench) => {
        assert.match(
          await bench.ask('rcpt'),
          /^554 5\.7\.1 Service unavailable; Client host \[192\.0\.2\.1\] blocked using bl\.example$/,
        );
      },
      { '1.2.0.192.bl.example A': ['127.0.0.2', '127.0.0.5'] },
    ));

  it('refuse for now when the table of replies has an empty one', () =>
    withBench(
      'rbl_reply_maps = inline:{{bl.example= }}\nsmtpd_client_restrictions = warn_if_reject reject_rbl_client bl.example',
      async (bench) => {
        assert.equal(await bench.ask('rcpt'), '451 4.3.5 Server configuration error');
        assert.equal(bench.log[0], 'warning: rbl_reply_maps lookup of bl.example returns an empty string result');
      },
      { '1.2.0.192.bl.example A': ['127.0.0.2'] },
    ));

  it('end the session when a filter makes no sense', () =>
    withBench('smtpd_client_restrictions = reject_rbl_client bl.example=127.0.0', async (bench) => {
      assert.equal(await bench.ask('rcpt'), 'gone: RBL reply error: need "." at "127.0.0><"');
    }));

  it('say why, in all text records up to a limit, or in a template', () =>
    withBench(
      `rbl_reply_maps = inline:{{two.example=521 5.7.3 $\${rbl_reason?because $$rbl_reason}} {three.example=$$rbl_code $$nosuch}}
smtpd_helo_restrictions = reject_rhsbl_helo one.example
smtpd_sender_restrictions = reject_rhsbl_sender two.example, reject_rhsbl_sender three.example`,
      async (bench) => {
        assert.match(
          await bench.ask('rcpt', { helo: 'h.example' }),
          /^554 5\.7\.1 Service unavailable; Helo command \[h\.example\] blocked using one\.example; first \/ x{492}$/,
        );
        assert.equal(await bench.ask('rcpt', { sender: 'u@b.example' }), '521 5.7.3 because it is so');
        assert.match(
          await bench.ask('rcpt', { sender: 'u@c.example' }),
          /^554 5\.7\.1 Service unavailable; Sender address \[u@c\.example\]/,
        );
        assert.deepEqual(
          bench.log.filter((line) => line.startsWith('warning')),
          [
            'warning: unknown macro name "nosuch" in expansion request',
            'warning: rbl_reject_reply: bad rbl reply template for domain three.example: $rbl_code $nosuch',
          ],
        );
      },
      {
        'h.example.one.example A': ['127.0.0.2'],
        'h.example.one.example TXT': ['first', 'x'.repeat(600)],
        'b.example.two.example A': ['127.0.0.2'],
        'b.example.two.example TXT': ['it is so'],
        'c.example.three.example A': ['127.0.0.2'],
      },
    ));

  it('are not asked about literals, numbers and names that can be none', () =>
    withBench(
      'smtpd_recipient_restrictions = reject_rhsbl_helo d.example, reject_rhsbl_sender d.example, reject_rhsbl_reverse_client d.example',
      async (bench) => {
        for (const sender of ['', 'u@[192.0.2.1]', 'u@host.1', 'u@-x.example']) {
          await bench.ask('rcpt', { sender, helo: '192.0.2.1', client: { reverseName: 'unknown' } });
        }
        assert.deepEqual(bench.asked, []);
        await bench.ask('rcpt', { sender: 'u@grün.example', helo: undefined, client: { reverseName: 'unknown' } });
        assert.deepEqual(bench.asked, ['xn--grn-ioa.example.d.example A']);
      },
    ));

  it('pass over a list that gives no answer', () =>
    withBench(
      'smtpd_client_restrictions = reject_rbl_client bl.example, reject_rbl_client other.example',
      async (bench) => {
        assert.match(await bench.ask('rcpt'), /other\.example$/);
        assert.match(bench.log[0] ?? '', /^warning: 1\.2\.0\.192\.bl\.example: RBL lookup error: /);
      },
      { '1.2.0.192.bl.example A': 'tryAgain', '1.2.0.192.other.example A': ['127.0.0.2'] },
    ));

  it('let the good ones through to where mail may go, and put refusals off while they are silent', () =>
    withBench(
      'smtpd_recipient_restrictions = permit_dnswl_client good.example, reject',
      async (bench) => {
        assert.equal(await bench.ask('rcpt'), 'ok');
        assert.match(await bench.ask('rcpt', { recipient: 'u@elsewhere.example' }), /^554 5\.7\.1/);
        assert.equal(
          await bench.ask('rcpt', { client: { address: '192.0.2.3' } }),
          '450 4.7.1 <192.0.2.3>: Client host rejected: Service unavailable',
        );
      },
      { '1.2.0.192.good.example A': ['127.0.0.2'], '3.2.0.192.good.example A': 'tryAgain' },
    ));

  it('need a name', () =>
    withBench('smtpd_client_restrictions = reject_rbl', async (bench) => {
      assert.equal(await bench.ask('rcpt'), 'ok');
      assert.deepEqual(bench.log, ['warning: restriction reject_rbl requires domain name argument']);
    }));
});
