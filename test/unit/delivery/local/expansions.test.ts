import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLocalAgent } from '#delivery/local';
import type { DeliveryAgent } from '#message';
import { getUserByName } from '#native';
import { request } from '../request.ts';
import { type Answer, deliver, endedWell, type Parts } from '../workbench.ts';

const failing: Answer = ({ kind }) =>
  kind === 'read' ? { kind: 'missing' } : { kind: 'failed', code: '', reason: 'no place', warnings: [] };

describe('expansions of a local recipient', () => {
  it('tell the owner of a list of each failure at once', async () => {
    const aliases = 'alias_maps = inline:{{list=/a/x, /a/y}, {owner-list=boss@other.example}}\n';
    const one = request('mail.example.com', ['list@mail.example.com'], { transport: 'local' });
    const { log, outcomes } = await deliver(createLocalAgent, one, aliases, failing);
    assert.deepEqual(
      log.map((line) => line.replace(/^QID: to=<(.*?)>, relay.*status=(\w+).*/, '$1 $2')),
      [
        'notice of failure to owner-list@mail.example.com: list@mail.example.com ""',
        'list@mail.example.com bounced',
        'notice of failure to owner-list@mail.example.com: list@mail.example.com ""',
        'list@mail.example.com bounced',
      ],
    );
    assert.deepEqual(
      outcomes.flatMap(({ members = [] }) => members.map(({ isTold }) => isTold)),
      [true, true],
    );
  });

  it('by a .forward file are the success that the sender hears of, and no other one', async () => {
    const forward: Answer = ({ kind }) =>
      kind === 'read'
        ? {
            kind: 'file',
            path: '/x/.forward',
            bytes: 'a@far.example\n',
            more: undefined,
            facts: { uid: 0, mode: 0o600, isRegular: true },
          }
        : { kind: 'ok', warnings: [] };
    const base = request('mail.example.com', ['root@mail.example.com'], { transport: 'local' });
    const recipients = base.recipients.map((recipient) => ({ ...recipient, notify: ['success', 'delay'] as const }));
    const lines = 'alias_maps =\ndefault_transport = smtp\nforward_path = /x/.forward\n';
    const { forwarded, outcomes } = await deliver(createLocalAgent, { ...base, recipients }, lines, forward);
    assert.deepEqual(
      forwarded.map(({ address, notify }) => [address, notify]),
      [['a@far.example', ['delay']]],
    );
    assert.deepEqual(
      outcomes.flatMap(({ members = [] }) => members.map(({ action, status }) => [action, status.reason])),
      [
        ['expanded', 'alias expanded'],
        [undefined, 'forwarded as NEW'],
      ],
    );
  });

  it('bounce when cleanup refuses the new message for good, and wait when it does so for now', async () => {
    const lines = 'alias_maps = inline:{{a=b@far.example}}\ndefault_transport = smtp\n';
    const one = request('mail.example.com', ['a@mail.example.com'], { transport: 'local' });
    const fate = async (dsn: string): Promise<readonly string[]> => {
      const refused = { kind: 'refused', code: 552, dsn, text: 'message file too big', isRuleText: false } as const;
      const create = ({ submission, ...parts }: Parts): DeliveryAgent =>
        createLocalAgent({
          ...parts,
          submission: {
            open: (options) => ({ ...submission.open(options), end: () => Promise.resolve(refused) }),
          },
        });
      const { outcomes } = await deliver(create, one, lines, failing);
      return outcomes.flatMap(({ kind, status }) => [kind, status.code, status.reason]);
    };
    assert.deepEqual(await fate('5.3.4'), ['bounced', '5.3.4', 'message file too big']);
    assert.deepEqual(await fate('4.3.1'), ['deferred', '4.3.0', 'unable to forward message: message file too big']);
  });

  it('pass mail on to a single address, which delivers nothing here', async () => {
    const lines = 'alias_maps = inline:{{a=b@far.example}, {c=root@mail.example.com}}\ndefault_transport = smtp\n';
    const one = request('mail.example.com', ['a@mail.example.com'], { transport: 'local' });
    const { outcomes } = await deliver(createLocalAgent, one, lines, failing);
    assert.deepEqual(
      outcomes.map(({ kind, action, status }) => [kind, action, status.reason]),
      [['sent', undefined, 'forwarded as NEW']],
    );
  });

  it('leave no half message when what goes on can not be read', async () => {
    const lines = 'alias_maps = inline:{{a=b@far.example}}\ndefault_transport = smtp\n';
    const one = request('mail.example.com', ['a@mail.example.com'], { transport: 'local' });
    async function* damaged(): AsyncGenerator<Buffer> {
      yield* one.content.chunks();
      throw new Error('damaged');
    }
    // the header section is read first, for Delivered-To:
    let isRead = false;
    const chunks = (): ReturnType<typeof one.content.chunks> => {
      if (isRead) return damaged();
      isRead = true;
      return one.content.chunks();
    };
    let aborted = 0;
    const create = ({ submission, ...parts }: Parts): DeliveryAgent =>
      createLocalAgent({
        ...parts,
        submission: { open: (options) => ({ ...submission.open(options), abort: () => void (aborted += 1) }) },
      });
    const wanted = { ...one, content: { ...one.content, chunks } };
    await assert.rejects(deliver(create, wanted, lines, failing), /damaged/);
    assert.equal(aborted, 1);
  });

  it('are told of as the agent tells that they were handed to', async () => {
    const status = { code: '2.0.0', reason: '250 saved' };
    const lmtp: DeliveryAgent = {
      deliver: (_request, report) => {
        report({ index: 0, kind: 'sent', status, relay: 'host[192.0.2.1]:24', action: 'relayed' });
        return Promise.resolve({});
      },
    };
    const create = (parts: Parts): DeliveryAgent => createLocalAgent({ ...parts, agents: new Map([['lmtp', lmtp]]) });
    const one = request('mail.example.com', ['a@mail.example.com'], { transport: 'local' });
    const { outcomes } = await deliver(create, one, 'alias_maps =\nmailbox_transport = lmtp:host\n', failing);
    assert.deepEqual(outcomes, [{ index: 0, kind: 'sent', status, relay: 'host[192.0.2.1]:24', action: 'relayed' }]);
  });

  it('are named without quotes to who asks where mail goes', async () => {
    const lines = 'alias_maps = inline:{{a="b c"@far.example}}\ndefault_transport = smtp\n';
    const one = request('mail.example.com', ['a@mail.example.com'], { transport: 'local', probe: true });
    const { log } = await deliver(createLocalAgent, one, lines, failing);
    assert.match(log.join('\n'), /to=<"b c"@far\.example>.*status=deliverable \(forwards to b c@far\.example\)/);
  });

  const sentTo = async (address: string, aliases: string): Promise<readonly string[]> => {
    const lines = `alias_maps = inline:{${aliases}}\nlocal_recipient_maps =\nmailbox_transport =\n`;
    const one = request('mail.example.com', [address], { transport: 'local' });
    const { log } = await deliver(createLocalAgent, one, lines, failing);
    return log
      .filter((line) => line.includes('status='))
      .map((line) => line.replace(/^QID: to=<(.*?)>, .*\((.*)\)$/, '$1 $2'));
  };

  it('go past aliases where a backslash is part of the name, and only there', async () => {
    const aliases = String.raw`{nosuch=|true}, {a=\nosuch}, {b="\\nosuch"}`;
    assert.deepEqual(await sentTo('a@mail.example.com', aliases), ['nosuch@mail.example.com no place']);
    const unknown = ['nosuch@mail.example.com unknown user: "nosuch"'];
    assert.deepEqual(await sentTo('b@mail.example.com', aliases), unknown);
    assert.deepEqual(await sentTo(String.raw`\nosuch@mail.example.com`, aliases), unknown);
  });

  it('end as unknown where luser_relay leads back to them, whatever they are called', async () => {
    const fates = async (relay: string, address: string): Promise<readonly string[]> => {
      const one = request('mail.example.com', [address], { transport: 'local' });
      const { log } = await deliver(createLocalAgent, one, `alias_maps =\nluser_relay = ${relay}\n`, failing);
      return log.map((line) => line.replace(/^QID: to=<(.*?)>, .*\((.*)\)$/, '$1 $2'));
    };
    const unknown = '|id@mail.example.com unknown user: "|id"';
    assert.deepEqual(await fates('"|id"', 'nosuch@mail.example.com'), [unknown]);
    const daemon = 'mailer-daemon@mail.example.com';
    assert.deepEqual(await fates('$recipient', daemon), [`${daemon} unknown user: "mailer-daemon"`]);
  });

  it('do not go round in the transport that passes them on', async () => {
    const one = request('mail.example.com', ['nosuch@mail.example.com'], { transport: 'local' });
    const { log, outcomes } = await deliver(
      createLocalAgent,
      one,
      'alias_maps =\nfallback_transport = local\n',
      failing,
    );
    assert.equal(log[0], 'warning: QID: transport local is one that passes the mail on');
    assert.equal(outcomes[0]?.kind, 'deferred');
  });

  it('with no address in them lead to whom empty addresses lead', async () => {
    assert.deepEqual(await sentTo('a@mail.example.com', '{a=@}'), ['MAILER-DAEMON@mail.example.com discarded']);
  });

  it('include what only root may read, and keep to what it may not', async () => {
    const aliases = 'alias_maps = inline:{{list=:include:/lists/a}}\n';
    const byRoot: Answer = ({ kind, uid }) =>
      kind === 'read' && uid === 0
        ? {
            kind: 'file',
            path: '/lists/a',
            bytes: 'b@far.example\n',
            more: undefined,
            facts: { uid: 0, mode: 0o600, isRegular: true },
          }
        : { kind: 'missing' };
    const one = request('mail.example.com', ['list@mail.example.com'], { transport: 'local' });
    assert.equal((await deliver(createLocalAgent, one, aliases, byRoot)).forwarded.length, 1);
    const refused: Answer = ({ uid }) =>
      uid === 0
        ? { kind: 'failed', code: '4.3.0', reason: 'delivery as root is refused', warnings: [] }
        : { kind: 'missing' };
    const { log } = await deliver(createLocalAgent, one, aliases, refused);
    assert.match(log.join('\n'), /unable to lookup :include: file \/lists\/a: No such file or directory/);
  });
});

describe('the rights of what an alias of root includes', () => {
  const aliases = 'alias_maps = inline:{{list=:include:/lists/a}}\nallow_mail_to_commands = include\n';
  const toList = request('mail.example.com', ['list@mail.example.com'], { transport: 'local' });
  const refused = { kind: 'failed', code: '4.3.0', reason: 'delivery as root is refused', warnings: [] } as const;

  /** Who reads, and then as whom a command in the list runs; `owners`: whose file it is, as each reader says. */
  async function asked(owners: Readonly<Record<number, number>>): Promise<readonly string[]> {
    const answer: Answer = ({ kind, uid: reader }) => {
      if (kind === 'command') return endedWell;
      const uid = owners[reader];
      if (uid === undefined) return refused;
      const facts = { uid, mode: 0o644, isRegular: true };
      return { kind: 'file', path: '/lists/a', bytes: '"|true"\n', more: undefined, facts };
    };
    const delivered = await deliver(createLocalAgent, toList, aliases, answer);
    return delivered.asked.map(({ kind, uid }) => `${kind} ${uid}`);
  }

  it('are those of its owner, who is known from root alone', async () => {
    const { uid: nobody = 0 } = getUserByName('nobody') ?? {};
    assert.deepEqual(await asked({ 0: 1, [nobody]: 2 }), ['read 0', 'command 1']);
    assert.deepEqual(await asked({ [nobody]: 1 }), ['read 0', `read ${nobody}`, `command ${nobody}`]);
    for (const owners of [{ 0: 0 }, { [nobody]: 0 }, { [nobody]: nobody }])
      assert.equal((await asked(owners)).at(-1), `command ${nobody}`);
  });
});

describe('commands of local recipients', () => {
  it('are told the extension of an address that has one, be it empty', async () => {
    const extensionOf = async (address: string): Promise<string | undefined> => {
      const lines = 'alias_maps =\nforward_path =\nrecipient_delimiter = +\nmailbox_command = /bin/true\n';
      const one = request('mail.example.com', [address], { transport: 'local' });
      const { asked } = await deliver(createLocalAgent, one, lines, () => ({ kind: 'missing' }));
      return asked.flatMap((each) => (each.kind === 'command' ? [each.environment['EXTENSION']] : []))[0];
    };
    assert.equal(await extensionOf('root+x@mail.example.com'), 'x');
    assert.equal(await extensionOf('root+@mail.example.com'), '');
    assert.equal(await extensionOf('root@mail.example.com'), undefined);
  });

  it('run where the queue is when their directory has a name without a value', async () => {
    const lines =
      'alias_maps = inline:{{run=|true}}\nforward_path =\ncommand_execution_directory = $home\nfrozen_delivered_to = no\n';
    const one = request('mail.example.com', ['run@mail.example.com'], { transport: 'local' });
    const { asked } = await deliver(createLocalAgent, one, lines, () => ({ kind: 'missing' }));
    assert.deepEqual(
      asked.map((each) => each.kind === 'command' && each.directory),
      [''],
    );
  });
});
