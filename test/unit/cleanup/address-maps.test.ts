import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

describe('addresses of a message on its way into the queue', () => {
  let bench: Workbench;
  before(() => {
    bench = new Workbench();
  });
  after(() => bench.close());

  it('takes the first of several canonical addresses and says so', async () => {
    const taken = await bench.take('canonical_maps = inline:{{m@x.example=one@x.example, two@x.example}}\n', {
      sender: 'm@x.example',
    });
    assert.equal(taken.reply, 'queued');
    assert.equal(taken.sender, 'one@x.example');
    assert.equal(taken.log[0], 'warning: ABC: multi-valued canonical_maps entry for m@x.example');
  });

  it("goes by the service's own mydestination for keys without domain, whatever the route goes by", async () => {
    const maps = 'virtual_alias_maps = inline:{u=x@mapped.example}\nmydestination = own.example\n';
    const { recipients } = await bench.take(maps, {
      recipients: ['u@own.example', 'u@real.example'],
      routingCf: 'mydestination = real.example',
    });
    assert.deepEqual(recipients, ['x@mapped.example', 'u@real.example']);
  });

  it('goes on with what ten canonical steps gave', async () => {
    const steps = Array.from({ length: 12 }, (_, i) => `{n${i}@x.example=n${i + 1}@x.example}`).join(', ');
    const taken = await bench.take(`canonical_maps = inline:{${steps}}\n`, { sender: 'n0@x.example' });
    assert.equal(taken.sender, 'n10@x.example');
    assert.match(taken.log[0] ?? '', /^warning: ABC: unreasonable canonical_maps map nesting for n10@x.example/);
  });

  it('looks the null sender up as an empty quoted string', async () => {
    const maps = 'canonical_maps = inline:{{""=null@x.example}}\n';
    assert.equal((await bench.take(maps, { sender: '' })).sender, 'null@x.example');
    const anything = 'sender_canonical_maps = static:any@x.example\n';
    assert.equal((await bench.take(anything, { sender: '', source: 'bounce' })).sender, 'any@x.example');
    assert.equal((await bench.take(anything, { sender: '', overrides: ['no_address_mappings'] })).sender, '');
    const others = 'sender_canonical_maps = inline:{{@=a@x.example}, {@mail.example.com=b@x.example}}\n';
    assert.equal((await bench.take(others, { sender: '' })).sender, '');
  });

  it('takes MAILER-DAEMON for the null sender, and no address that a table gives', async () => {
    const maps = 'sender_bcc_maps = static:copy@x.example\ncanonical_maps = inline:{{c@x.example=mailer-daemon}}\n';
    const given = ['mailer-daemon', 'MAILER-DAEMON@mail.example.com', 'MAILER-DAEMON@x.example', 'c@x.example'];
    const taken = await Promise.all(given.map((sender) => bench.take(maps, { sender })));
    assert.deepEqual(
      taken.map(({ sender, recipients }) => `${sender} ${recipients.length}`),
      [' 1', ' 1', 'MAILER-DAEMON@x.example 2', 'mailer-daemon@mail.example.com 2'],
    );
  });

  it('masquerades all but the names of masquerade_exceptions, tables and exclusions too', async () => {
    const maps = 'masquerade_domains = example.com\nmasquerade_exceptions = !Joe, inline:{root=x}, j\n';
    const senderOf = async (sender: string): Promise<string> => (await bench.take(maps, { sender })).sender;
    assert.equal(await senderOf('ROOT@h.example.com'), 'ROOT@h.example.com');
    assert.equal(await senderOf('J@h.example.com'), 'J@h.example.com');
    assert.equal(await senderOf('joe@h.example.com'), 'joe@example.com');
    const failing = 'masquerade_domains = example.com\nmasquerade_exceptions = fail:x\n';
    const taken = await bench.take(failing, { sender: 'a@h.example.com' });
    assert.equal(taken.reply, '451 4.3.0 queue file write error');
  });

  it('takes for the original recipient of DSNs, when none is given, what canonical mapping gave', async () => {
    const maps =
      'canonical_maps = inline:{{a@x.example=b@x.example}}\nvirtual_alias_maps = inline:{{b@x.example=c@x.example}}\n';
    const taken = await bench.take(maps, { recipients: ['a@x.example'] });
    assert.deepEqual([taken.recipients, taken.dsnOriginals], [['c@x.example'], ['rfc822;b@x.example']]);
    assert.deepEqual(taken.originals, ['a@x.example']);
  });

  it('knows <> as a result', async () => {
    const maps = 'canonical_maps = inline:{{c@x.example=<>}}\nvirtual_alias_maps = inline:{{v@x.example=<>}}\n';
    const taken = await bench.take(maps, { sender: 'c@x.example', recipients: ['v@x.example'] });
    assert.equal(taken.sender, '');
    assert.deepEqual(taken.recipients, ['MAILER-DAEMON@mail.example.com']);
  });

  it('gives what is for nobody to empty_address_recipient', async () => {
    const maps = 'empty_address_recipient = joe\nvirtual_alias_maps = inline:{{v@x.example=<>}}\n';
    const taken = await Promise.all(['', 'v@x.example'].map((address) => bench.take(maps, { recipients: [address] })));
    for (const { recipients } of taken) assert.deepEqual(recipients, ['joe@mail.example.com']);
    const [nobody, alias] = taken.map(({ originals }) => originals);
    assert.deepEqual([nobody, alias], [[''], ['v@x.example']]);
  });

  it('gives what an alias gives to nobody the domain of this host', async () => {
    const maps = 'myorigin = origin.example\nvirtual_alias_maps = inline:{{v@x.example=<>}}\n';
    const taken = await bench.take(maps, { recipients: ['', 'v@x.example'] });
    assert.deepEqual(taken.recipients, ['MAILER-DAEMON@origin.example', 'MAILER-DAEMON@mail.example.com']);
  });

  it('tells of a result that holds no address, and takes the mail later', async () => {
    const taken = await bench.take('virtual_alias_maps = inline:{{v@x.example= ,}}\n', { recipients: ['v@x.example'] });
    assert.equal(taken.reply, '451 4.3.0 queue file write error');
    assert.deepEqual(taken.log.slice(0, 2), [
      'warning: virtual_alias_maps lookup of v@x.example returns non-address result ","',
      'warning: ABC: virtual_alias_maps map lookup problem for v@x.example -- message not accepted, try again later',
    ]);
  });

  it('finds aliases that lead to each other too deep, not too many', async () => {
    const maps = 'virtual_alias_maps = inline:{{a@x.example=b@x.example, c@x.example}, {b@x.example=a@x.example}}\n';
    const taken = await bench.take(`${maps}virtual_alias_recursion_limit = 5\n`, { recipients: ['a@x.example'] });
    assert.equal(taken.reply, '451 4.6.0 Alias expansion error');
    assert.match(taken.log[0] ?? '', /^warning: ABC: unreasonable virtual_alias_maps map nesting for a@x.example/);
  });

  it('keeps what is told of success to an alias as a whole', async () => {
    const maps = 'virtual_alias_maps = inline:{{a@x.example=b@x.example, c@x.example}, {d@x.example=d@x.example}}\n';
    const taken = await bench.take(maps, { recipients: ['a@x.example'], notify: ['success', 'failure'] });
    assert.deepEqual(taken.expanded, ['a@x.example']);
    assert.deepEqual(taken.notify, ['b@x.example failure', 'c@x.example failure']);
    const silent = await bench.take(maps, { recipients: ['a@x.example', 'd@x.example'], notify: ['success'] });
    assert.deepEqual(silent.notify, ['b@x.example never', 'c@x.example never', 'd@x.example success']);
    const unasked = await bench.take(maps, { recipients: ['a@x.example'] });
    assert.deepEqual(unasked.expanded, []);
  });

  it('are only put in standard form under no_address_mappings', async () => {
    const maps =
      'canonical_maps = inline:{{s@s.example=c@s.example}}\nvirtual_alias_maps = inline:{{r@mail.example.com=v@v.example}}\n' +
      'masquerade_domains = example.com\nalways_bcc = all@b.example\n';
    const content = 'From: s@s.example\r\nTo: r\r\n\r\n';
    const taken = await bench.take(maps, { recipients: ['r'], overrides: ['no_address_mappings'], content });
    assert.equal(taken.sender, 's@s.example');
    assert.deepEqual(taken.recipients, ['r@mail.example.com']);
    assert.match(taken.content, /^From: s@s.example\r\nTo: r@mail.example.com\r\n/);
  });
});
