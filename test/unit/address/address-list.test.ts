import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressesOf, formatAddressHeader, mapAddresses, parseAddressList } from '#address';

const atHost = (address: string): string => (address.includes('@') ? address : `${address}@h`);
const rewritten = (text: string): string =>
  formatAddressHeader('To', mapAddresses(parseAddressList(text), atHost)).slice('To: '.length);

describe('address lists', () => {
  it('rewrites addresses and keeps names, comments and groups', () => {
    assert.equal(rewritten('"B, ob" <bob>'), '"B, ob" <bob@h>');
    assert.equal(rewritten('Al (comment) <al>, group: x, y@z;'), 'Al (comment) <al@h>, group: x@h, y@z;');
    assert.equal(rewritten('carol , dave@sub'), 'carol@h, dave@sub');
  });

  it('adds commas that are missing', () => {
    assert.equal(rewritten('a b <c> d'), 'a b <c@h>, d@h');
    assert.deepEqual(addressesOf(parseAddressList('a@x b@y')), ['a@x', 'b@y']);
  });

  it('moves comments inside an address to its right', () => {
    assert.equal(rewritten('a (x) @ (y) b'), 'a@b (x) (y)');
    assert.equal(rewritten('N <a@(x)b>'), 'N <a@b (x)>');
  });

  it('gives addresses in internal form and prints them quoted', () => {
    assert.deepEqual(addressesOf(parseAddressList('"a b"@x, <"c,d"@[192.0.2.1]>')), ['a b@x', 'c,d@[192.0.2.1]']);
    assert.equal(rewritten('"a b"@x'), '"a b"@x');
  });

  it('reads aliases values', () => {
    assert.deepEqual(addressesOf(parseAddressList('"|cat -n", :include:/a/b.c, /var/mail/x, u')), [
      '|cat -n',
      ':include:/a/b.c',
      '/var/mail/x',
      'u',
    ]);
  });

  it('takes no more tokens than the limit', () => {
    assert.deepEqual(addressesOf(parseAddressList('a@b.c, d@e.f', 10)), ['a@b.c', 'd@e.']);
  });

  it('puts as many addresses on a line as fit', () => {
    const list = Array.from({ length: 7 }, (_, index) => `user${index}@example.net`).join(',');
    assert.equal(
      formatAddressHeader('To', parseAddressList(list)),
      'To: user0@example.net, user1@example.net, user2@example.net,\r\n' +
        '\tuser3@example.net, user4@example.net, user5@example.net,\r\n\tuser6@example.net',
    );
  });

  it('folds by the bytes of a line, not by its characters', () => {
    const second = `<${'b'.repeat(29)}@x.example>`;
    for (const [name, glue] of [
      ['a'.repeat(16), ' '],
      ['ä'.repeat(8), ' '],
      ['\udce4'.repeat(16), ' '],
      ['a'.repeat(17), '\r\n\t'],
      ['ä'.repeat(9), '\r\n\t'],
      ['\udce4'.repeat(17), '\r\n\t'],
    ] as const)
      assert.equal(
        formatAddressHeader('To', parseAddressList(`${name} <a@x>, ${second}`)),
        `To: ${name} <a@x>,${glue}${second}`,
      );
  });

  it('cuts a header within a folded comment where the line is full', () => {
    const header = (text: string): string => formatAddressHeader('To', parseAddressList(text));
    assert.equal(header('bob@example.net (a\n\tb)'), 'To: bob@example.net (a \tb)');
    const [many, few] = ['m'.repeat(40), 'f'.repeat(20)];
    assert.equal(header(`bob@h (${many}\n ${few}), c@h`), `To: bob@h (${many}\r\n ${few}), c@h`);
  });

  it('drops names and comments that are too long beside an address', () => {
    assert.equal(rewritten(`${'n'.repeat(300)} <a>, b`), '<a@h>, b@h');
  });

  it('tells a local-part that holds an at sign from an address', () => {
    const found = (text: string) =>
      parseAddressList(text).flatMap((token) =>
        token.kind === 'address' ? [[token.address, token.localPart !== undefined]] : [],
      );
    assert.deepEqual(found('"un b@c'), [['un b@c', true]]);
    assert.deepEqual(found('"a@b"'), [['a@b', true]]);
    assert.deepEqual(found('[x a@b'), [['[x a@b]', true]]);
    assert.deepEqual(found('"a@b"@c, d'), [
      ['a@b@c', false],
      ['d', true],
    ]);
  });

  it('tells where a local-part has operators, outside of quotes', () => {
    const found = (text: string) =>
      parseAddressList(text).flatMap((token) => (token.kind === 'address' ? [token.localPart] : []));
    assert.deepEqual(found('a!b!c%d%e, "a!b", "a%b"%c, a!"b c", x!y@z'), [
      { bang: 1, percent: 7 },
      { bang: -1, percent: -1 },
      { bang: -1, percent: 3 },
      { bang: 1, percent: -1 },
      undefined,
    ]);
  });

  it('knows the name of a group before an address in angle brackets', () => {
    assert.equal(rewritten('I: <j>;'), 'I: <j@h>;');
    assert.equal(rewritten('H:;, I J: K <j>, l;'), 'H: ;, I J: K <j@h>, l@h;');
  });

  it('keeps what stands before the colon of a group without an end apart from the name behind it', () => {
    const texts = parseAddressList('a :Name <b@c>').map((token) => ('text' in token ? token.text : ''));
    assert.deepEqual(texts, ['a', ':', 'Name', '<', 'b@c', '>']);
  });

  it('keeps commas of a source route close, and sets others apart', () => {
    assert.deepEqual(addressesOf(parseAddressList('<@a,@b:c@d>, <e,f>')), ['@a,@b:c@d', 'e, f']);
  });
});
