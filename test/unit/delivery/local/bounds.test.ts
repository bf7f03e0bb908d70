import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLocalAgent } from '#delivery/local';
import type { DeliveryAgent } from '#message';
import { DoneBefore, ExpansionSteps, MemberOutcomes } from '../../../../src/delivery/local/bounds.ts';
import { request } from '../request.ts';
import { type Answer, deliver, type Parts } from '../workbench.ts';

const pieceBytes = 64 * 1024;
const facts = { uid: 0, mode: 0o600, isRegular: true };

/** A deliverer that reads from these files; a command ends with what stands behind `exit`. */
const files =
  (texts: Readonly<Record<string, string>>): Answer =>
  (asked) => {
    if (asked.kind === 'command') {
      const status = Number(/exit (\d+)/.exec(asked.command.toString())?.[1] ?? 0);
      return { kind: 'ended', status, signal: 0, output: '', timedOut: false, failure: '', isFailurePrinted: false };
    }
    if (asked.kind !== 'read') return { kind: 'failed', code: '', reason: 'no place', warnings: [] };
    const [path = ''] = asked.paths;
    const text = texts[path];
    if (text === undefined) return { kind: 'missing' };
    const from = asked.next?.from ?? 0;
    const bytes = text.slice(from, from + pieceBytes);
    const more = from + pieceBytes < text.length ? { from: from + pieceBytes, stamp: 'x' } : undefined;
    return { kind: 'file', path, bytes, more, facts };
  };

const lines = 'alias_maps = inline:{{list=:include:/list}}\ndefault_transport = smtp\nforward_path =\n';
const toList = request('mail.example.com', ['list@mail.example.com'], { transport: 'local' });

describe('an expansion', () => {
  it('gets through a list of very many lines', async () => {
    const list = Array.from({ length: 20_000 }, (_, index) => `member${index}@far.example\n`).join('');
    const { forwarded, outcomes } = await deliver(createLocalAgent, toList, lines, files({ '/list': list }));
    assert.equal(forwarded.length, 20_000);
    assert.equal(forwarded.at(-1)?.address, 'member19999@far.example');
    assert.equal(outcomes[0]?.kind, 'sent');
  });

  it('keeps no address of a long list until all of it is read', async () => {
    const list = Array.from({ length: 20_000 }, (_, index) => `member${index}@far.example\n`).join('');
    const handedAt: number[] = [];
    let read = 0;
    const counting: Answer = (asked) => {
      read += 1;
      return files({ '/list': list })(asked);
    };
    const create = (parts: Parts): DeliveryAgent =>
      createLocalAgent({
        ...parts,
        submission: {
          open: (options) => {
            const opened = parts.submission.open(options);
            return {
              ...opened,
              addRecipient: (recipient) => {
                handedAt.push(read);
                return opened.addRecipient(recipient);
              },
            };
          },
        },
      });
    await deliver(create, toList, lines, counting);
    for (const [index, reads] of handedAt.entries()) {
      const mostRead = Math.ceil(((index + 1000) * 'member99999@far.example\n'.length) / pieceBytes) + 1;
      assert.ok(reads <= mostRead, `${index} after ${reads} pieces`);
    }
  });

  it('reads lines as long as line_length_limit allows', async () => {
    const list = `${'a'.repeat(600)}@far.example, b@far.example\n#${'c'.repeat(511)}d@far.example\n`;
    const { forwarded } = await deliver(
      createLocalAgent,
      toList,
      `${lines}line_length_limit = 512\n`,
      files({ '/list': list }),
    );
    const addresses = ['a'.repeat(512), `${'a'.repeat(88)}@far.example`, 'b@far.example', 'd@far.example'];
    assert.deepEqual(
      forwarded.map(({ address }) => address.replace('@mail.example.com', '')),
      addresses,
    );
  });

  it('bounces what is no UTF-8, unless addresses of any bytes are taken', async () => {
    const answer = files({ '/list': '\u00c3@far.example\n' });
    const { log, forwarded } = await deliver(createLocalAgent, toList, lines, answer);
    assert.match(log.join('\n'), /dsn=5\.1\.3, status=bounced \(bad recipient address syntax: .@far\.example\)/);
    assert.equal(forwarded.length, 0);
    const any = await deliver(createLocalAgent, toList, `${lines}smtputf8_enable = no\n`, answer);
    assert.deepEqual(
      any.forwarded.map(({ address }) => address),
      ['\udcc3@far.example'],
    );
  });

  it('lets the lines behind a member that waits wait, too', async () => {
    const list = '"|exit 75", "|one"\n"|two"\n';
    const commands = `${lines}allow_mail_to_commands = include\n`;
    const { asked, forwarded } = await deliver(createLocalAgent, toList, commands, files({ '/list': list }));
    assert.deepEqual(
      asked.flatMap((each) => (each.kind === 'command' ? [each.command] : [])),
      ['exit 75', 'one'],
    );
    assert.equal(forwarded.length, 0);
  });

  it('waits when a file can not be read to its end, and takes back what was begun', async () => {
    const list = Array.from({ length: 20_000 }, (_, index) => `member${index}@far.example\n`).join('');
    let aborted = 0;
    const create = (parts: Parts): DeliveryAgent =>
      createLocalAgent({
        ...parts,
        submission: {
          open: (options) => ({
            ...parts.submission.open(options),
            end: () => assert.fail('nothing is to be sent'),
            abort: () => (aborted += 1),
          }),
        },
      });
    const failing: Answer = (asked) =>
      asked.kind === 'read' && (asked.next?.from ?? 0) > 100_000
        ? { kind: 'unreadable', path: '/list', reason: 'Input/output error' }
        : files({ '/list': list })(asked);
    const { outcomes } = await deliver(create, toList, lines, failing);
    assert.equal(aborted, 1);
    assert.deepEqual(
      outcomes.map(({ kind, status }) => [kind, status.reason]),
      [['deferred', 'cannot read /list: Input/output error']],
    );
  });

  it('of a file that never ends, and holds nothing, does so', { timeout: 60_000 }, async () => {
    let pieces = 0;
    const endless: Answer = (asked) => {
      if (asked.kind !== 'read') return { kind: 'missing' };
      pieces += 1;
      // as it would come to its end without the bound
      const more = pieces < 20_000 ? { from: pieces * pieceBytes, stamp: 'x' } : undefined;
      return { kind: 'file', path: '/list', bytes: '\n'.repeat(pieceBytes), more, facts };
    };
    const create = (parts: Parts): DeliveryAgent => createLocalAgent({ ...parts, mostSteps: 100_000 });
    await deliver(create, toList, lines, endless);
    assert.ok(pieces <= 600, `${pieces} pieces`);
  });

  it('of files that include each other under ever new names ends', async () => {
    const circle: Answer = (asked) => {
      if (asked.kind !== 'read') return { kind: 'missing' };
      const [path = ''] = asked.paths;
      return { kind: 'file', path, bytes: `:include:${path}/x\n:include:${path}/y\n`, more: undefined, facts };
    };
    const create = (parts: Parts): DeliveryAgent => createLocalAgent({ ...parts, mostSteps: 1_000_000 });
    const { asked, log, outcomes } = await deliver(create, toList, lines, circle);
    assert.ok(asked.length <= 1100, `${asked.length} files`);
    assert.ok(log.some((line) => line.includes('recipient nesting limit exceeded for :include:/list/')));
    assert.ok(log.some((line) => line.includes('too many members in the expansion of list@mail.example.com')));
    assert.equal(outcomes[0]?.kind, 'bounced');
  });
});

describe('bounds of an expansion', () => {
  it('give others a turn after some hundred members, and end', () => {
    const steps = new ExpansionSteps(1000);
    const waits = Array.from({ length: 1000 }, () => steps.takeMember()).filter((wait) => wait !== undefined);
    assert.equal(waits.length, 5);
    assert.ok(steps.areUsedUp);
  });

  it('remember as much as duplicate_filter_limit says, and each file', () => {
    const done = new DoneBefore(2);
    assert.deepEqual(
      ['a', 'b', 'c', 'A', 'c'].map((what) => done.isNew(what)),
      [true, true, true, false, true],
    );
    assert.deepEqual(
      ['f', 'g', 'h', 'h'].map((what) => done.isNewExpansion(what)),
      [true, true, true, false],
    );
  });

  it('keep a bounded part of many outcomes, and the first of each kind', () => {
    const outcomes = new MemberOutcomes();
    const one = { address: 'a'.repeat(1000), sender: '', status: { code: '', reason: '' } };
    for (let count = 0; count < 100_000; count += 1) outcomes.add({ ...one, kind: 'bounced' });
    const { length } = outcomes.list;
    assert.ok(length > 1000 && length < 10_000, String(length));
    outcomes.add({ ...one, kind: 'deferred' });
    outcomes.add({ ...one, kind: 'deferred' });
    assert.equal(outcomes.list.length, length + 1);
    assert.equal(outcomes.deferred, 2);
  });
});
