import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AddressFamily, type ProxyHeader, ProxyHeaderReader } from '#smtp';

const both: readonly AddressFamily[] = ['ipv4', 'ipv6'];

function read(text: string, families = both): ProxyHeader {
  const reader = new ProxyHeaderReader(families);
  return reader.push(Buffer.from(text, 'latin1')) ?? reader.finish('timeout');
}

function clientOf(text: string): string {
  const header = read(text);
  return header.kind === 'proxied' ? `${header.client.address} ${header.client.port}` : header.kind;
}

function problemOf(text: string, families = both): string {
  const header = read(text, families);
  return header.kind === 'bad' ? header.warning : header.kind;
}

const block = (rest: string): string => `\r\n\r\n\0\r\nQUIT\n${rest}`;

describe('the haproxy protocol, version 1', () => {
  it('tells client and server, and where SMTP begins', () => {
    assert.deepEqual(read('PROXY TCP4 192.0.2.5 198.51.100.7 40000 25\r\nEHLO x\r\n'), {
      kind: 'proxied',
      client: { address: '192.0.2.5', port: '40000' },
      server: { address: '198.51.100.7', port: '25' },
      length: 44,
    });
  });

  it('writes addresses in one way', () => {
    assert.equal(clientOf('PROXY tcp6 2001:0DB8:0:0:0:0:0:5 ::1 40 25\r\n'), '2001:db8::5 40');
    assert.equal(clientOf('PROXY TCP6 ::ffff:192.0.2.5 ::1 40 25\r\n'), '192.0.2.5 40');
    assert.equal(clientOf('PROXY TCP4 192.0.2.05 127.0.0.1 0 25 and more\n'), '192.0.2.5 0');
  });

  it('names what is wrong', () => {
    assert.equal(
      problemOf('EHLO x.example.net\r\n'),
      'haproxy read: unrecognized protocol header: EHLO x.example.net\\r\\n',
    );
    assert.match(problemOf('PROXY\r\n'), /: short protocol header: /);
    assert.match(problemOf('PROXY UNKNOWN\r\n'), /: bad or missing protocol type: /);
    assert.match(problemOf('PROXY TCP6 ::1 ::1 1 2\r\n', ['ipv4']), /: bad or missing protocol type: /);
    assert.match(problemOf('PROXY TCP4 ::1 ::1 1 2\r\n'), /: bad or missing client address: /);
    assert.match(problemOf('PROXY TCP4 192.0.2.5 x 1 2\r\n'), /: bad or missing server address: /);
    assert.match(problemOf('PROXY TCP4 192.0.2.5 192.0.2.6 65536 2\r\n'), /: bad or missing client port: /);
    assert.match(problemOf('PROXY TCP4 192.0.2.5 192.0.2.6 1 025\r\n'), /: bad or missing server port: /);
    assert.match(problemOf('PROXY TCP4 192.0.2.5\0 192.0.2.6 1 25\r\n'), /: missing protocol header terminator: /);
    assert.match(
      problemOf(`PROXY TCP4 ${'x'.repeat(600)}`),
      /: missing protocol header terminator: PROXY TCP4 x{525}$/,
    );
  });

  it('says why nothing came', () => {
    assert.equal(problemOf(''), 'haproxy read: timeout error');
    const closed = new ProxyHeaderReader(both).finish('closed');
    assert.equal(closed.kind === 'bad' ? closed.warning : closed.kind, 'haproxy read: EOF');
  });
});

describe('the haproxy protocol, version 2', () => {
  it('tells the client, whatever attributes follow', () => {
    assert.equal(clientOf(block('\x21\x11\0\x0c\xc0\0\x02\x05\x7f\0\0\x01\x9c\x40\0\x19')), '192.0.2.5 40000');
    assert.equal(
      clientOf(block('\x21\x11\0\x10\xc0\0\x02\x05\x7f\0\0\x01\x9c\x40\0\x19\x04\0\x01x')),
      '192.0.2.5 40000',
    );
    const mapped = `${'\0'.repeat(10)}\xff\xff\xc0\0\x02\x05`;
    assert.equal(clientOf(block(`\x21\x21\0\x24${mapped}${mapped}\0\x28\0\x19`)), '192.0.2.5 40');
  });

  it('takes the health checks of the load balancer as such', () => {
    assert.deepEqual(read(block('\x20\0\0\0')), { kind: 'direct', length: 16 });
  });

  it('names what is wrong', () => {
    assert.match(problemOf(block('\x31\x11\0\0')), /: unrecognized protocol version: /);
    assert.match(problemOf(block('\x22\x11\0\0')), /: bad command in proxy header: /);
    assert.match(problemOf(block('\x21\x12\0\0')), /: unsupported network protocol: /);
    assert.match(problemOf(block('\x21\x11\0\x08\xc0\0\x02\x05\x7f\0\0\x01')), /: short address field: /);
    assert.match(problemOf(block('\x21\x11\0\x0c\xc0')), /: short version 2 protocol header: .*!\\021\\000\\f\\300$/);
    assert.match(
      problemOf(block(`\x21\x21\0\x24${'\0'.repeat(36)}`), ['ipv4']),
      /: Postfix IPv6 support is disabled: /,
    );
  });
});
