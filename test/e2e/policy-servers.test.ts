/** Policy delegation, with servers that others have written. SMTPD_POLICY_README */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { NameServer, type RunningServer, startPostgrey, startSpawned } from './support/policy-servers.ts';
import { missing, QuickStart, until } from './support/quick-start.ts';
import { SmtpTalk } from './support/smtp-talk.ts';

const records = {
  'good.example': 'v=spf1 ip4:192.0.2.10 -all',
  'strict.example': 'v=spf1 -all',
};

interface Attempt {
  readonly from: string;
  readonly to: string;
  readonly address?: string;
}

/** Tries to send a message as a client of a given address; gives the last reply. */
async function send({ port }: QuickStart, { from, to, address = '192.0.2.10' }: Attempt): Promise<string> {
  const talk = await SmtpTalk.open(port);
  try {
    await talk.say(`XCLIENT ADDR=${address} NAME=host.good.example`);
    await talk.say('EHLO host.good.example');
    await talk.say(`MAIL FROM:<${from}>`);
    const answer = await talk.say(`RCPT TO:<${to}>`);
    if (!answer.startsWith('250')) return answer;
    await talk.say('DATA');
    return await talk.say('Subject: policy\r\n\r\nbody\r\n.');
  } finally {
    talk.close();
  }
}

describe('a policy server', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-policy-'));
  const names = new NameServer(records);
  const running: RunningServer[] = [];
  let server: QuickStart;
  let namePort = 0;

  const askOf = async (policy: RunningServer): Promise<void> => {
    running.push(policy);
    await server.stop();
    server.command('postconf', [
      '-e',
      `smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:${policy.port}`,
    ]);
    await server.start();
  };

  before(async () => {
    namePort = await names.listen();
    server = await QuickStart.start(['smtpd_authorized_xclient_hosts = 127.0.0.1']);
  });
  after(async () => {
    for (const policy of running) policy.stop();
    names.close();
    await server.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  it('postgrey puts an unknown sender off and lets the second attempt in', { skip: missing('postgrey') }, async () => {
    await askOf(await startPostgrey(directory));
    const attempt = { from: 'a@good.example', to: `grey@${server.domain}` };
    const first = await send(server, attempt);
    assert.equal(
      first.slice(0, first.indexOf(', see')),
      `450 4.2.0 <grey@${server.domain}>: Recipient address rejected: Greylisted`,
    );
    await until('the greylisting to end', async () => {
      const answer = await send(server, attempt);
      return answer.startsWith('250') ? true : undefined;
    });
    const [message = ''] = await server.arrived('grey');
    assert.match(message, /^X-Greylist: delayed \d+ seconds by postgrey-\S+ at grey\.example;/m);
    await server.logged(/NOQUEUE: reject: RCPT from host\.good\.example\[192\.0\.2\.10\]: 450 4\.2\.0 .*Greylisted/);
  });

  it('policyd-spf refuses what SPF forbids and marks the rest', { skip: missing('policyd-spf') }, async () => {
    const settings = `${directory}/policyd-spf.conf`;
    writeFileSync(settings, 'debugLevel = 0\nTestOnly = 1\nHELO_reject = Fail\nMail_From_reject = Fail\n');
    const script =
      'import os, runpy, sys, DNS, spf; DNS.defaults["server"] = ["127.0.0.1"]; ' +
      'DNS.defaults["port"] = int(os.environ["NAME_PORT"]); sys.argv = sys.argv[1:]; ' +
      'runpy.run_path(sys.argv[0], run_name="__main__")';
    const command = ['/usr/bin/python3', '-c', script, '/usr/bin/policyd-spf', settings];
    const policy = await startSpawned(command, { NAME_PORT: String(namePort) });
    await askOf(policy);
    assert.match(
      await send(server, { from: 'a@strict.example', to: `spf@${server.domain}` }),
      /^550 5\.7\.23 <spf@[^>]*>: Recipient address rejected: Message rejected due to: SPF fail/,
    );
    assert.match(await send(server, { from: 'a@good.example', to: `spf@${server.domain}` }), /^250 2\.0\.0 Ok: queued/);
    const [message = ''] = await server.arrived('spf');
    assert.match(message, /^Received-SPF: Pass \(mailfrom\) .*client-ip=192\.0\.2\.10; .*receiver=/ms);
    // the connection is kept between the two sessions
    assert.equal(policy.connections(), 1);
  });

  it('postfix-policyd-spf-perl does, too', { skip: missing('postfix-policyd-spf-perl') }, async () => {
    const environment = { RES_NAMESERVERS: '127.0.0.1', RES_OPTIONS: `port:${namePort}` };
    await askOf(await startSpawned(['postfix-policyd-spf-perl'], environment));
    assert.match(
      await send(server, { from: 'a@good.example', to: `perl@${server.domain}`, address: '192.0.2.66' }),
      /^550 5\.7\.1 <perl@[^>]*>: Recipient address rejected: Please see http/,
    );
    assert.match(
      await send(server, { from: 'a@good.example', to: `perl@${server.domain}` }),
      /^250 2\.0\.0 Ok: queued/,
    );
    const [message = ''] = await server.arrived('perl');
    assert.match(message, /^Received-SPF: pass .*client-ip=192\.0\.2\.10/ms);
  });
});
