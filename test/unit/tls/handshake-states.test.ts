import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { dumpRows } from '../../../src/tls/wire-trace.ts';
import { asClient, asDeepClient, chain, deepChain, withTls } from './handshake-bench.ts';

const level = (number: number): string =>
  `smtpd_tls_ask_ccert = yes\nsmtpd_tls_CAfile = ${deepChain}\nsmtpd_tls_loglevel = ${number}`;

describe('the states of a handshake', () => {
  const states = (log: readonly string[]): readonly string[] =>
    log.flatMap(
      (line) => /^SSL_accept:(?:SSLv3\/TLS )?(.*)|^client\S+ (depth=.*)/.exec(line)?.slice(1).filter(Boolean) ?? [],
    );

  it('are told as its messages show them, with the chain of the client', () =>
    withTls(level(2), async (bench) => {
      await bench.shake(asDeepClient);
      assert.deepEqual(states(bench.log), [
        'before SSL initialization',
        'before SSL initialization',
        'read client hello',
        'write server hello',
        'write change cipher spec',
        'TLSv1.3 write encrypted extensions',
        'write certificate request',
        'write certificate',
        'TLSv1.3 write server certificate verify',
        'write finished',
        'TLSv1.3 early data',
        'TLSv1.3 early data',
        'depth=3 verify=1 subject=/O=Root Org/CN=Root CA',
        'depth=2 verify=1 subject=/O=Root Org/CN=Intermediate CA',
        'depth=1 verify=1 subject=/O=Root Org/CN=Second CA',
        'depth=0 verify=1 subject=/CN=deep.example.net',
        'read client certificate',
        'read certificate verify',
        'read finished',
      ]);
    }));

  it('are others in older versions', () =>
    withTls(level(2), async (bench) => {
      await bench.shake({ ...asClient, maxVersion: 'TLSv1.2' });
      assert.deepEqual(states(bench.log).slice(2), [
        'read client hello',
        'write server hello',
        'write certificate',
        'write key exchange',
        'write certificate request',
        'write server done',
        'depth=0 verify=0 subject=/CN=mail.example.com',
        'depth=0 verify=1 subject=/CN=mail.example.com',
        'read client certificate',
        'read client key exchange',
        'read certificate verify',
        'read change cipher spec',
        'read finished',
        'write session ticket',
        'write change cipher spec',
        'write finished',
      ]);
    }));

  it('end where the handshake fails', () =>
    withTls('smtpd_tls_protocols = >=TLSv1.3\nsmtpd_tls_loglevel = 2', async (bench) => {
      const before = 'before SSL initialization';
      const old = await bench.shake({ maxVersion: 'TLSv1.2' });
      assert.deepEqual(old.states, [before, before, 'SSL3 alert write:fatal:protocol version', 'error in error']);
      const foreign = await bench.meet((port) => {
        const socket = connect(port, '127.0.0.1', () => socket.end('EHLO me\r\n'));
        return socket;
      });
      assert.deepEqual(foreign.states, [before, 'error in error']);
    }));

  it('are not looked for below their level', () =>
    withTls(level(1), async (bench) => {
      const accepted = await bench.shake(asClient);
      assert.deepEqual([accepted.states, states(bench.log)], [[], []]);
    }));
});

describe('bytes of a connection', () => {
  it('are told in both directions, as OpenSSL reads and writes them', () =>
    withTls(`smtpd_tls_chain_files = ${chain}\nsmtpd_tls_loglevel = 3`, async (bench) => {
      await bench.shake();
      const [header = '', row = '', body = ''] = bench.log.slice(
        bench.log.findIndex((line) => line.startsWith('read ')),
      );
      assert.equal(header, 'read from client[192.0.2.1] (5 bytes => 5 (0x5))');
      assert.match(row, /^0000 16 03 01 [0-9a-f]{2} [0-9a-f]{2} +\.\.\../);
      const [, length = '', hex = ''] =
        /^read from client\[192\.0\.2\.1\] \((\d+) bytes => \1 \(0x([0-9A-F]+)\)\)$/.exec(body) ?? [];
      assert.equal(Number.parseInt(hex, 16), Number(length));
      assert.ok(bench.log.some((line) => line.startsWith('write to client[192.0.2.1] (')));
    }));

  it('are rows of sixteen, without what is empty at the end', () => {
    assert.deepEqual(dumpRows(Buffer.from('EHLO mail.example.com\r\n')), [
      '0000 45 48 4c 4f 20 6d 61 69|6c 2e 65 78 61 6d 70 6c  EHLO mai l.exampl',
      '0010 65 2e 63 6f 6d 0d 0a                             e.com..',
    ]);
    assert.deepEqual(dumpRows(Buffer.from([1, 0, 0x20, 0])), [
      '0000 01                                               .',
      '0004 - <SPACES/NULS>',
    ]);
    assert.deepEqual(dumpRows(Buffer.alloc(0)), []);
  });
});
