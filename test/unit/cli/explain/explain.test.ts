import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { run } from '../../../../src/cli/explain/index.ts';
import type { Report, RestrictionStep, Step } from '../../../../src/cli/explain/report.ts';

const mainCf = `compatibility_level = 3.9
myhostname = mail.example.org
mydestination = example.org
queue_directory = DIR/queue
data_directory = DIR/data
mynetworks = 10.0.0.0/8
local_recipient_maps = inline:{ann=x, bob=x, carl=x}
virtual_alias_maps = inline:{{bob@example.org=ann@example.org}}
smtpd_restriction_classes = strict
strict = check_helo_access inline:{{weak.example=REJECT not you}}
smtpd_client_restrictions =
    check_client_access texthash:DIR/clients,
    warn_if_reject check_client_access inline:{{odd.example=REJECT odd}},
    check_reverse_client_hostname_access inline:{{ptr.example=REJECT generic name}}
smtpd_sender_restrictions = check_sender_access inline:{strict.example=strict}
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions =
    check_recipient_access inline:{{carl@example.org=HOLD for a look}},
    reject_rbl_client list.example,
    check_policy_service inet:127.0.0.1:1
`;

const masterCf = `smtp inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
submission inet n - n - - smtpd
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
  -o smtpd_delay_reject=no
cleanup unix n - n - 0 cleanup
local unix - n n - - local
smtp unix - - n - - smtp
smtps inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_tls_auth_only=yes
  -o smtpd_sasl_type=dovecot
  -o smtpd_sasl_path=inet:127.0.0.1:1
  -o smtpd_sender_login_maps=inline:{{ann@example.org=ann}}
  -o { smtpd_sender_restrictions = reject_sender_login_mismatch }
internal inet n - n - - smtpd
  -o { smtpd_sender_restrictions = reject_plaintext_session }
secured inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o { smtpd_sender_restrictions = reject_plaintext_session }
`;

describe('posthorn explain', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'posthorn-explain-'));
    writeFileSync(`${directory}/main.cf`, mainCf.replaceAll('DIR', directory));
    writeFileSync(`${directory}/master.cf`, masterCf);
    writeFileSync(`${directory}/clients`, 'bad.example REJECT go away\nslow.example DEFER_IF_PERMIT later\n');
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  async function explain(
    ...args: readonly string[]
  ): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
    let out = '';
    let err = '';
    const status = await run(['--offline', ...args], {
      stdout: (text) => void (out += text.toString()),
      stderr: (text) => void (err += text),
      stdin: process.stdin,
      env: { MAIL_CONFIG: directory },
      uid: 1000,
    });
    return { status, out, err };
  }

  const about = (name: string, to: string, from = 'a@b.example', client = '192.0.2.1'): readonly string[] =>
    ['--client', client, '--name', name, '--helo', 'weak.example', '--from', from].concat(
      to.split(' ').flatMap((recipient) => ['--to', recipient]),
    );

  async function reportOf(...args: readonly string[]): Promise<Report> {
    const { status, out, err } = await explain('--json', ...args);
    assert.equal(status, 0, err);
    const report: Report = JSON.parse(out);
    return report;
  }

  function restrictions(steps: readonly Step[]): readonly RestrictionStep[] {
    return steps.flatMap((step) => {
      if (step.kind === 'list') return restrictions(step.steps);
      return step.kind === 'restriction' ? [step, ...restrictions(step.steps)] : [];
    });
  }

  it('names the table, the keys, the place and the reply of a refusal', async () => {
    const { out } = await explain(...about('mx.bad.example', 'ann@example.org'));
    assert.match(out, /^main\.cf:12 {4}check_client_access texthash:\S+\/clients {2}-> {2}reject$/m);
    assert.match(out, /^ +mx\.bad\.example: nothing\n +bad\.example: REJECT go away$/m);
    assert.match(out, /^ {2}554 5\.7\.1 <mx\.bad\.example\[192\.0\.2\.1\]>: Client host rejected: go away$/m);
    assert.match(out, /decided by check_client_access texthash:\S+ \(main\.cf:12\) in smtpd_client_restrictions/);
  });

  it('goes into restriction classes, and names what led there', async () => {
    const asked = about('unknown', 'ann@example.org', 'a@strict.example');
    const { recipients } = await reportOf(...asked);
    assert.equal(recipients[0]?.verdict, 'reject');
    assert.deepEqual(recipients[0]?.decidedBy, {
      stage: 'RCPT TO:<ann@example.org>',
      parameter: 'smtpd_sender_restrictions',
      restriction: 'check_helo_access inline:{{weak.example=REJECT not you}}',
      origin: { file: `${directory}/main.cf`, line: 10 },
      through: [
        {
          restriction: 'check_sender_access inline:{strict.example=strict}',
          origin: { file: `${directory}/main.cf`, line: 15 },
        },
        { restriction: 'strict', origin: null },
      ],
    });
    const decided =
      /decided by check_helo_access .* \(main\.cf:10\), by way of check_sender_access \S+ \(main\.cf:15\), by way of strict, in smtpd_sender_restrictions$/m;
    assert.match((await explain(...asked)).out, decided);
  });

  it('takes a reverse name that is not the name of the client, or all that it has', async () => {
    const reverse = (name: string): readonly string[] => ['--reverse-name', name];
    const asked = about('mx.good.example', 'ann@example.org');
    const { client, recipients } = await reportOf(...asked, ...reverse('mx.ptr.example'));
    assert.deepEqual([client.name, client.reverseName], ['mx.good.example', 'mx.ptr.example']);
    assert.match(recipients[0]?.reply?.lines[0] ?? '', /Unverified Client host rejected: generic name/);
    const nameless = ['--client', '192.0.2.1', '--from', 'a@b.example', '--to', 'ann@example.org'];
    const { out } = await explain(...nameless, ...reverse('host.example'));
    assert.match(
      out,
      /^client=unknown\[192\.0\.2\.1\], reverse name host\.example not confirmed helo=<\[192\.0\.2\.1\]>$/m,
    );
    assert.equal((await explain(...asked, ...reverse('a\r\nb'))).status, 64);
    const file = `${directory}/policy.test`;
    const line = 'client 192.0.2.1 reverse-name mx.ptr.example from a@b.example to ann@example.org';
    writeFileSync(file, `${line} => reject 5.7.1\n`);
    assert.deepEqual(await explain('--test', file), { status: 0, out: '1 expectation, all hold\n', err: '' });
  });

  it('tells what warn_if_reject only logs', async () => {
    const { stages, recipients } = await reportOf(...about('odd.example', 'ann@example.org'));
    const step = restrictions(stages.flatMap(({ steps }) => steps)).find(({ warnOnly }) => warnOnly);
    assert.equal(step?.effect, 'warns');
    assert.match(step?.log[0] ?? '', /^NOQUEUE: reject_warning: RCPT from odd\.example/);
    assert.equal(recipients[0]?.verdict, 'accept');
  });

  it('names the step that put a refusal off, when it is said', async () => {
    const { recipients } = await reportOf(...about('mx.slow.example', 'ann@example.org x@elsewhere.example'));
    assert.deepEqual(
      recipients.map(({ verdict, decidedBy }) => [verdict, decidedBy?.parameter]),
      [
        ['defer', 'smtpd_client_restrictions'],
        ['reject', 'smtpd_relay_restrictions'],
      ],
    );
  });

  it('leaves DNS lists and policy servers out without network, and says so', async () => {
    const { stages, notes } = await reportOf(...about('unknown', 'ann@example.org'));
    const avoided = restrictions(stages.flatMap(({ steps }) => steps)).filter((step) => step.avoided !== undefined);
    assert.deepEqual(
      avoided.map(({ name, effect }) => [name, effect]),
      [
        ['reject_rbl_client', 'next'],
        ['check_policy_service', 'next'],
      ],
    );
    assert.match(notes.join('\n'), /neither policy services nor DNS were asked/);
  });

  it('shows where accepted mail would go, aliases applied', async () => {
    const { recipients } = await reportOf(...about('unknown', 'bob@example.org'));
    const [bob] = recipients;
    assert.equal(bob?.verdict, 'accept');
    assert.deepEqual(bob?.way?.deliveries, [
      {
        recipient: 'ann@example.org',
        isCopy: false,
        addressClass: 'local',
        transport: 'local',
        nexthop: 'mail.example.org',
        isFilter: false,
        entry: { file: `${directory}/master.cf`, line: 7 },
      },
    ]);
  });

  it('names the step that holds a message, for each of its recipients', async () => {
    const { recipients } = await reportOf(...about('unknown', 'ann@example.org carl@example.org'));
    assert.deepEqual(
      recipients.map(({ verdict, decidedBy }) => [verdict, decidedBy?.stage]),
      [
        ['hold', 'RCPT TO:<carl@example.org>'],
        ['hold', 'RCPT TO:<carl@example.org>'],
      ],
    );
  });

  it('takes the smtpd behind postscreen for port 25, and others by name with their overrides', async () => {
    const first = await reportOf(...about('unknown', 'ann@example.org'));
    assert.equal(first.service.name, 'smtpd/pass');
    const refused = await reportOf('--service', 'submission', ...about('unknown', 'ann@example.org'));
    assert.deepEqual(
      refused.stages.map(({ command, reply }) => [command, reply?.code]),
      [['CONNECT', 554]],
    );
    const login = await reportOf('--service', 'submission', '--login', 'joe', ...about('unknown', 'ann@example.org'));
    assert.equal(login.recipients[0]?.verdict, 'accept');
    assert.match(login.notes.join('\n'), /nobody can log in to submission\/inet: smtpd_sasl_auth_enable is no/);
  });

  it('takes a session for encrypted where it is said or demanded', async () => {
    const verdictOf = async (...args: readonly string[]): Promise<unknown> => {
      const { recipients } = await reportOf(...args, ...about('unknown', 'ann@example.org'));
      return recipients[0]?.reply?.code;
    };
    assert.equal(await verdictOf('--service', 'internal'), 450);
    assert.equal(await verdictOf('--service', 'internal', '--tls'), 250);
    assert.equal(await verdictOf('--service', 'secured'), 250);
  });

  it('knows whose address a login may use, and asks no login server', async () => {
    const verdictOf = async (login: string, from: string): Promise<unknown> => {
      const asked = ['--service', 'smtps', '--login', login, ...about('unknown', 'ann@example.org', from)];
      const [recipient] = (await reportOf(...asked)).recipients;
      return recipient?.reply?.lines[0];
    };
    assert.equal(await verdictOf('ann', 'ann@example.org'), '2.1.5 Ok');
    assert.equal(
      await verdictOf('bob', 'ann@example.org'),
      '5.7.1 <ann@example.org>: Sender address rejected: not owned by user bob',
    );
  });

  it('tells a list that says the same for another recipient only once', async () => {
    const { out } = await explain(...about('unknown', 'ann@example.org bob@example.org'));
    assert.match(out, /^main\.cf:11 {2}smtpd_client_restrictions {2}-> {2}as for RCPT TO:<ann@example\.org>$/m);
  });

  it('runs a file of expectations, with file, line and the deciding step of each difference', async () => {
    const file = `${directory}/policy.test`;
    const ask = 'client 192.0.2.1 name mx.bad.example helo x from a@b.example to ann@example.org';
    writeFileSync(file, `# all is well\n${ask} => reject 5.7.1\n`);
    assert.deepEqual(await explain('--test', file), { status: 0, out: '1 expectation, all hold\n', err: '' });
    writeFileSync(file, `${ask} => accept\n${ask} => reject\n`);
    const { status, out } = await explain('--test', file);
    assert.equal(status, 1);
    assert.equal(
      out,
      `${file}:1: <ann@example.org>
  expected  accept
  got       reject 554 5.7.1
            554 5.7.1 <mx.bad.example[192.0.2.1]>: Client host rejected: go away
  decided   by check_client_access texthash:${directory}/clients (main.cf:12) in smtpd_client_restrictions at RCPT TO:<ann@example.org>
2 expectations, 1 does not hold
`,
    );
    writeFileSync(file, 'client\n');
    assert.deepEqual(await explain('--test', file), { status: 64, out: '', err: `${file}:1: no =>\n` });
  });

  it('refuses wrong command lines, missing files and configurations', async () => {
    const statusOf = async (...args: readonly string[]): Promise<number> => (await explain(...args)).status;
    assert.equal(await statusOf(), 64);
    assert.equal(await statusOf('--nonsense'), 64);
    assert.equal(await statusOf(...about('unknown', 'a@b\r\nDATA')), 64);
    assert.equal(await statusOf('--test', 'x', ...about('unknown', 'a@b')), 64);
    assert.equal(await statusOf('--test', `${directory}/nowhere`), 66);
    assert.equal(await statusOf('--service', 'pop3', ...about('unknown', 'a@b')), 78);
    assert.equal(await statusOf('--config', `${directory}/nowhere`, ...about('unknown', 'a@b')), 78);
    assert.equal(await statusOf('--help'), 0);
  });

  it('looks at the content of a message where one is given', async () => {
    const file = `${directory}/message`;
    writeFileSync(file, 'Subject: cheap\n\n.\nhello\n');
    writeFileSync(
      `${directory}/main.cf`,
      `${mainCf.replaceAll('DIR', directory)}header_checks = pcre:${directory}/h\n`,
    );
    writeFileSync(`${directory}/h`, '/^Subject: cheap/ REJECT too cheap\n');
    const { recipients } = await reportOf('--message', file, ...about('unknown', 'ann@example.org'));
    assert.deepEqual(recipients[0]?.reply?.lines, ['5.7.1 too cheap']);
    const { recipients: without } = await reportOf(...about('unknown', 'ann@example.org'));
    assert.equal(without[0]?.verdict, 'accept');
  });
});
