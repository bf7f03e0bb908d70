import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { createRewriter, type Rewriter } from '#rewrite';
import { TableOpener } from '#tables';

const BASE = `compatibility_level = 3.6
myhostname = mail.example.com
mydestination = example.com, localhost
virtual_alias_domains = alias.example
virtual_alias_maps =
virtual_mailbox_domains = box.example
virtual_mailbox_maps =
relay_domains = relay.example
`;

describe('rewriting and routing', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'rewrite-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const rewriterWith = (more = '', warnings: string[] = []): Rewriter => {
    writeFileSync(join(directory, 'main.cf'), BASE + more);
    const { settings } = openSettings(directory);
    const warn = (text: string): void => void warnings.push(text);
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    const facts = { interfaces: [{ address: '192.0.2.9', internal: false }] };
    return createRewriter({ settings, tables, warn, facts });
  };
  const route = async (rewriter: Rewriter, recipient: string, sender = 's@x.example'): Promise<string> => {
    const found = await rewriter.resolve(sender, recipient);
    return found.kind === 'resolved'
      ? `${found.addressClass} ${found.transport}:${found.nexthop} ${found.recipient}${found.routed ? ' routed' : ''}`
      : `${found.kind} ${found.reason}`;
  };

  it('takes operators within quotes for part of a name, where the quotes are known', () => {
    const rewriter = rewriterWith();
    const none = { bang: -1, percent: -1 };
    assert.equal(rewriter.rewrite('a!b', 'local', none), 'a!b@mail.example.com');
    assert.equal(rewriter.rewrite('a%b', 'local', none), 'a%b@mail.example.com');
    assert.equal(rewriter.rewrite('a@b', 'local', none), 'a@b@mail.example.com');
    assert.equal(rewriter.rewrite('a!b c', 'local', { bang: 1, percent: -1 }), 'b c@a');
  });

  it('gives addresses their standard form', () => {
    const rewriter = rewriterWith('append_dot_mydomain = yes\nmydomain = example.com\n');
    const forms: Readonly<Record<string, string>> = {
      '': '',
      '@': '',
      a: 'a@mail.example.com',
      'h!u': 'u@h.example.com',
      'u%h.x': 'u@h.x',
      'a%b%c': 'a%b@c.example.com',
      'a b!c': 'a b!c@mail.example.com',
      '@r1,@r2:u@d.x': 'u@d.x',
      'u@d.x.': 'u@d.x',
      'u@d.x..': 'u@d.x..',
      'u@[192.0.2.1]': 'u@[192.0.2.1]',
      'h!u@d.x': 'h!u@d.x',
    };
    for (const [address, form] of Object.entries(forms))
      assert.equal(rewriter.rewrite(address, 'local'), form, address);
    assert.equal(rewriter.rewrite('a', 'remote'), 'a');
  });

  it('finds class, transport and nexthop', async () => {
    const rewriter = rewriterWith();
    assert.equal(await route(rewriter, 'u@EXAMPLE.com'), 'local local:mail.example.com u@EXAMPLE.com');
    assert.equal(await route(rewriter, 'u@[192.0.2.9]'), 'local local:mail.example.com u@[192.0.2.9]');
    assert.equal(
      await route(rewriter, 'u@alias.example'),
      'virtualAlias error:5.1.1 User unknown in virtual alias table u@alias.example',
    );
    assert.equal(await route(rewriter, 'u@box.example'), 'virtualMailbox virtual:box.example u@box.example');
    assert.equal(await route(rewriter, 'u@sub.relay.example'), 'relay relay:sub.relay.example u@sub.relay.example');
    assert.equal(await route(rewriter, 'u@far.example'), 'default smtp:far.example u@far.example');
  });

  it('takes local domains away until one is not', async () => {
    const rewriter = rewriterWith();
    assert.equal(await route(rewriter, 'a%b.example@example.com'), 'default smtp:b.example a@b.example');
    assert.equal(await route(rewriter, 'b.example!a@example.com'), 'default smtp:b.example a@b.example');
    assert.equal(await route(rewriter, 'a@b.example@localhost'), 'default smtp:b.example a@b.example');
    assert.equal(await route(rewriter, 'a%b@c.example'), 'default smtp:c.example a%b@c.example routed');
  });

  it('gives an address without domain that of this host, which is local only where mydestination says so', async () => {
    const far = rewriterWith('resolve_null_domain = yes\n');
    assert.equal(await route(far, 'u@'), 'default smtp:mail.example.com u@mail.example.com');
    assert.equal(await route(far, ''), 'default smtp:mail.example.com MAILER-DAEMON@mail.example.com');
    const here = rewriterWith('resolve_null_domain = yes\nmydestination = $myhostname\n');
    assert.equal(await route(here, 'u@'), 'local local:mail.example.com u@mail.example.com');
    assert.equal(await route(here, ''), 'local local:mail.example.com MAILER-DAEMON@mail.example.com');
  });

  it('leads an address without a user to empty_address_recipient', async () => {
    const bare = rewriterWith('empty_address_recipient = joe\n');
    assert.equal(await route(bare, ''), 'default smtp:mail.example.com joe@mail.example.com');
    assert.equal(await route(bare, '@localhost'), 'local local:mail.example.com joe@localhost');
    const whole = rewriterWith('empty_address_recipient = joe@far.example\n');
    for (const address of ['', '@localhost'])
      assert.equal(await route(whole, address), 'default smtp:far.example joe@far.example', address);
    const nobody = rewriterWith('empty_address_recipient = @localhost\n');
    assert.equal(await route(nobody, ''), 'local local:mail.example.com MAILER-DAEMON@localhost');
  });

  it('follows an address of ten thousand steps', async () => {
    assert.equal(await route(rewriterWith(), `a${'@'.repeat(10_000)}`), 'invalid bad address syntax');
  });

  it('refuses bad syntax', async () => {
    const rewriter = rewriterWith();
    for (const address of ['u@[1.2.3]', 'u@a..b', 'u@192.0.2.1', 'u@-a', 'u@', '-u@example.com']) {
      assert.equal(await route(rewriter, address), 'invalid bad address syntax', address);
    }
    const brackets = rewriterWith('resolve_numeric_domain = yes\n');
    assert.equal(await route(brackets, 'u@192.0.2.1'), 'default smtp:[192.0.2.1] u@[192.0.2.1]');
  });

  it('lets relayhosts and transport tables override', async () => {
    const rewriter = rewriterWith(
      [
        'relayhost = [hub.example]:587',
        'sender_dependent_relayhost_maps = inline:{a@x.example=[a.example], {@y.example=DUNNO}}',
        'sender_dependent_default_transport_maps = inline:{t@x.example=slow:}',
        'transport_maps = inline:{far.example=slow:, near.example=:[near], same.example=:, .w.example=wild:w,' +
          ' bad.example=error:}',
        'relocated_maps = inline:{{gone@example.com = new@far.example}}',
        '',
      ].join('\n'),
    );
    assert.match(await route(rewriter, 'u@z.example'), /^default smtp:\[hub\.example\]:587 /);
    assert.match(await route(rewriter, 'u@relay.example'), /^relay relay:\[hub\.example\]:587 /);
    assert.match(await route(rewriter, 'u@z.example', 'a@x.example'), /smtp:\[a\.example\] /);
    assert.match(await route(rewriter, 'u@z.example', 'b@y.example'), /smtp:\[hub\.example\]:587 /);
    assert.match(await route(rewriter, 'u@z.example', 't@x.example'), /slow:\[hub\.example\]:587 /);
    assert.match(await route(rewriter, 'u@far.example'), /slow:far\.example /);
    assert.match(await route(rewriter, 'u@near.example'), /smtp:\[near\] /);
    assert.match(await route(rewriter, 'u@same.example'), /smtp:\[hub\.example\]:587 /);
    assert.match(await route(rewriter, 'u@a.w.example'), /wild:w /);
    assert.match(await route(rewriter, 'u@bad.example'), /error:Address is undeliverable /);
    assert.match(await route(rewriter, 'gone@example.com'), /error:5\.1\.6 User has moved to new@far\.example /);
  });

  it('asks for `*` after all other keys, and not for virtual alias domains', async () => {
    const rewriter = rewriterWith('transport_maps = inline:{*=discard:}\n');
    assert.match(await route(rewriter, 'u@far.example'), /discard:far\.example /);
    assert.match(await route(rewriter, 'u@alias.example'), /error:5\.1\.1/);
  });

  it('tells of failures and of domains in two lists', async () => {
    const warnings: string[] = [];
    const failing = rewriterWith('transport_maps = fail:x\n', warnings);
    assert.match(await route(failing, 'u@far.example'), /^failed /);
    assert.ok(warnings.includes('transport_maps lookup failure'));
    const both = rewriterWith('relay_domains = box.example\n', warnings);
    assert.match(await route(both, 'u@box.example'), /^virtualMailbox /);
    assert.ok(warnings.includes('do not list domain box.example in BOTH virtual_mailbox_domains and relay_domains'));
  });

  it('asks expressions of transport_maps for the wildcard, not for domains', async () => {
    const rules = 'transport_maps = regexp:{{/^x[.]example/ discard:domain}, {/^[*]/ discard:any}}\n';
    assert.equal(await route(rewriterWith(rules), 'u@x.example'), 'default discard:any u@x.example');
  });

  it('knows the literal of a bare address as its own', async () => {
    const rewriter = rewriterWith('resolve_numeric_domain = yes\ninet_interfaces = 192.0.2.9\n');
    assert.equal(await route(rewriter, 'u@192.0.2.9'), 'local local:mail.example.com u@[192.0.2.9]');
    assert.equal(await route(rewriter, 'u@192.0.2.8'), 'default smtp:[192.0.2.8] u@[192.0.2.8]');
  });
});
