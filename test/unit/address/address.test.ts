import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  domainToAscii,
  endAddress,
  foldCase,
  formatIp,
  ipInNetwork,
  isAddressLiteral,
  isValidHostName,
  parseCidr,
  parseIp,
  splitAddress,
  splitExtension,
  toExternal,
  toInternal,
} from '#address';

const rules = { ownerRequestSpecial: true, doubleBounceName: 'double-bounce' };

describe('address parts', () => {
  it('divides at the last @', () => {
    assert.deepEqual(splitAddress('a@b@c'), { localPart: 'a@b', domain: 'c' });
    assert.deepEqual(splitAddress('a'), { localPart: 'a', domain: '' });
  });

  it('divides the extension at the first delimiter of the set', () => {
    assert.deepEqual(splitExtension('u-x+y', '+-', rules), { user: 'u', extension: 'x+y', delimiter: '-' });
    assert.deepEqual(splitExtension('u+', '+-', rules), { user: 'u', extension: '', delimiter: '+' });
    for (const whole of ['+u', '+u+x', 'Postmaster', 'MAILER-DAEMON', 'double-bounce', 'owner-l', 'l-request']) {
      assert.equal(splitExtension(whole, '+-', rules).user, whole);
    }
    assert.equal(splitExtension('owner-l', '-', { ...rules, ownerRequestSpecial: false }).user, 'owner');
  });
});

describe('quoting', () => {
  it('quotes what is no Dot-string', () => {
    assert.equal(toExternal('a b@c'), '"a b"@c');
    assert.equal(toExternal('a"\\@c'), '"a\\"\\\\"@c');
    assert.equal(toExternal('.a@c'), '".a"@c');
    assert.equal(toExternal('@c'), '""@c');
    assert.equal(toExternal(''), '');
    assert.equal(toExternal('ü@c'), 'ü@c');
    assert.equal(toExternal('@x,@y:a b@c'), '@x,@y:"a b"@c');
  });

  it('takes quotes away', () => {
    assert.equal(toInternal('"a \\"b"@c'), 'a "b@c');
    assert.equal(toInternal('"a@b"@c'), 'a@b@c');
  });
});

describe('host names', () => {
  it('are labels of letters, digits, underscores and inner hyphens', () => {
    for (const name of ['a', 'a-b.c_d', '1a', `${'a'.repeat(63)}.x`]) assert.ok(isValidHostName(name), name);
    for (const name of ['', '-a', 'a-', 'a.-b', 'a..b', 'a.', '.a', '1.2', 'a b', `${'a'.repeat(64)}.x`]) {
      assert.ok(!isValidHostName(name), name);
    }
  });

  it('are told from address literals', () => {
    assert.ok(isAddressLiteral('[192.0.2.1]') && isAddressLiteral('[IPv6:2001:db8::1]'));
    assert.ok(!isAddressLiteral('[2001:db8::1]') && !isAddressLiteral('[IPv6:192.0.2.1]') && !isAddressLiteral('[x]'));
  });

  it('beyond ASCII become A-labels', () => {
    assert.equal(domainToAscii('bücher.example'), 'xn--bcher-kva.example');
    assert.equal(domainToAscii('EXAMPLE.com'), 'EXAMPLE.com');
    for (const name of ['ü/x', 'ü:25', 'ü@x', '１.２.３.４', 'ü x']) assert.equal(domainToAscii(name), undefined, name);
    assert.equal(foldCase('STRASSE'), foldCase('straße'));
  });
});

describe('Internet addresses', () => {
  it('are read and printed in their short form', () => {
    const texts = ['192.0.2.1', '::', '::1', '2001:db8::1', '1:0:0:2::3', 'fe80::1:2:3:4'];
    for (const text of texts) {
      const address = parseIp(text);
      assert.equal(address && formatIp(address), text);
    }
    for (const text of ['', '1.2.3', '1.2.3.256', '01.2.3.4', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', 'g::']) {
      assert.equal(parseIp(text), undefined, text);
    }
    assert.deepEqual(parseIp('::ffff:192.0.2.1'), { family: 'ipv4', bytes: Uint8Array.of(192, 0, 2, 1) });
  });

  it('are no more than addresses at the ends of a connection', () => {
    const told = ['192.0.2.1', '::ffff:192.0.2.1', 'fe80::1%eth0', '::1', '::ffff:0:1'];
    assert.deepEqual(told.map(endAddress), ['192.0.2.1', '192.0.2.1', 'fe80::1', '::1', '::ffff:0:1']);
  });

  it('are in networks bit by bit', () => {
    const inside = (address: string, network: string): boolean => {
      const [ip, net] = [parseIp(address), parseCidr(network)];
      return ip !== undefined && net.kind === 'ok' && ipInNetwork(ip, net.network);
    };
    assert.ok(inside('192.0.2.130', '192.0.2.128/25') && !inside('192.0.2.1', '192.0.2.128/25'));
    assert.ok(inside('2001:db8::5', '2001:db8::/126') === false && inside('2001:db8::3', '2001:db8::/126'));
    assert.ok(inside('1.2.3.4', '0.0.0.0/0') && !inside('1.2.3.4', '::/0'));
    assert.ok(inside('::ffff:192.0.2.1', '192.0.2.0/24'));
    // as Debian's main.cf has it: no address of a client matches, and nothing is wrong with it
    assert.equal(parseCidr('[::ffff:127.0.0.0]/104').kind, 'ok');
    assert.ok(!inside('127.0.0.1', '[::ffff:127.0.0.0]/104') && !inside('127.0.0.1', '::/0'));
    assert.equal(parseCidr('[::ffff:127.0.0.0]/8').kind, 'bad');
    assert.equal(parseCidr('192.0.2.1/24').kind, 'bad');
    assert.equal(parseCidr('192.0.2.0/33').kind, 'bad');
    assert.equal(parseCidr('example.com').kind, 'notAnAddress');
  });
});
