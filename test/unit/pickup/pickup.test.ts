import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { type MailEvent, renderPostfixText } from '#events';
import {
  formatMaildropEnvelope,
  type MaildropEnvelope,
  type SubmissionOptions,
  type SubmissionPort,
  type SubmissionResult,
} from '#message';
import type { NotifyResult } from '#bounce';
import { createPickup, type Pickup } from '#pickup';
import { plainEnvelope } from '../message/maildrop-envelope.ts';

const ENVELOPE: MaildropEnvelope = {
  ...plainEnvelope,
  fullName: 'A',
  recipients: [
    { address: 'b', notify: ['never'], dsnOriginal: '' },
    { address: 'c d@x', notify: ['never'], dsnOriginal: '' },
  ],
};

/** What cleanup gives with a refusal. */
const envelope = {
  sender: 'a@mail.example.com',
  messageId: '<m@x>',
  recipients: ['b', 'c d@x'].map((address) => ({ address, original: address, dsnOriginal: '', notify: [] })),
};

describe('pickup', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'pickup-'));
    writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\n');
  });
  after(() => rmSync(directory, { recursive: true }));

  const newMaildrop = (): string => mkdtempSync(join(directory, 'maildrop-'));
  const setUp = (
    result: SubmissionResult,
    told: NotifyResult = { ok: true },
    maildrop = newMaildrop(),
    remove?: (path: string) => Promise<void>,
    clock = 0,
  ) => {
    const contents: string[] = [];
    const returned: { queueId: string; messageId: string; to: readonly string[] }[] = [];
    const taken: { options: SubmissionOptions; recipients: string[]; asked: string[]; content: string }[] = [];
    const log: string[] = [];
    const submission: SubmissionPort = {
      open: (options) => {
        const message = { options, recipients: new Array<string>(), asked: new Array<string>(), content: '' };
        taken.push(message);
        return {
          queueId: 'ABC123',
          addRecipient: ({ address, notify, dsnOriginal }) => {
            message.recipients.push(address);
            message.asked.push(`${notify.join()} ${dsnOriginal}`);
          },
          apply: () => undefined,
          write: (chunk) => void (message.content += chunk.toString()),
          end: () => Promise.resolve(result),
          abort: () => undefined,
        };
      },
    };
    const pickup: Pickup = createPickup({
      directory: maildrop,
      takenDirectory: `${maildrop}-taken`,
      submission,
      settings: openSettings(directory).settings,
      events: { emit: (event: MailEvent) => void log.push(renderPostfixText(event)) },
      bouncer: {
        notify: async (_kind, message, recipients) => {
          // there may be several notices
          for (let count = 0; count < 2; count += 1)
            contents.push(Buffer.concat(await Array.fromAsync(message.content.chunks())).toString());
          returned.push({
            queueId: message.queueId,
            messageId: message.envelope.messageId,
            to: (await Array.fromAsync(recipients)).flat().map(({ recipient }) => recipient.address),
          });
          return told;
        },
      },
      cleanupEvents: { emit: (event: MailEvent) => void log.push(renderPostfixText(event)) },
      now: () => clock,
      ...(remove === undefined ? {} : { remove }),
    });
    const leave = (name: string, text: string, mode = 0o744): string => {
      const path = join(maildrop, name);
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    };
    return { pickup, taken, log, leave, returned, contents };
  };

  it('works on one large file at a time, and on small ones beside it', async () => {
    const open: string[] = [];
    let most = 0;
    const gone: string[] = [];
    const remove = async (path: string): Promise<void> => {
      const name = basename(path);
      open.push(name);
      most = Math.max(most, open.filter((each) => each.startsWith('L')).length);
      // the others could come meanwhile
      await new Promise((done) => setTimeout(done, 50));
      open.splice(open.indexOf(name), 1);
      gone.push(name);
    };
    const { pickup, leave } = setUp({ kind: 'queued', queueId: 'ABC123' }, { ok: true }, newMaildrop(), remove);
    const text = `${formatMaildropEnvelope(ENVELOPE)}Subject: s\n\n`;
    for (const name of ['L1', 'L2', 'L3']) leave(name, text + 'body\n'.repeat(300_000));
    leave('S1', text);
    await pickup.scan();
    assert.equal(most, 1);
    assert.deepEqual(gone.toSorted(), ['L1', 'L2', 'L3', 'S1']);
    assert.notEqual(gone.at(-1), 'S1');
  });

  it('submits complete files with a Received header, and removes them', async () => {
    const { pickup, taken, log, leave } = setUp({ kind: 'queued', queueId: 'ABC123' });
    const path = leave('F1', `${formatMaildropEnvelope(ENVELOPE)}Subject: s\n\nbody`);
    await pickup.scan();
    const [message] = taken;
    assert.ok(message);
    assert.equal(message.content, 'Subject: s\r\n\r\nbody\r\n');
    assert.deepEqual(message.recipients, ['b', 'c d@x']);
    const { prepend, envelope } = message.options;
    const uid = process.getuid?.() ?? 0;
    assert.equal(envelope.uid, uid);
    assert.match(
      (typeof prepend === 'function' ? prepend() : prepend).toString(),
      new RegExp(`^Received: by mail\\.example\\.com \\(\\S+, from userid ${uid}\\)\\r\\n\\tid ABC123; .+\\r\\n$`),
    );
    assert.deepEqual(log, [`ABC123: uid=${uid} from=<a>`]);
    assert.ok(!existsSync(path));
  });

  it('hands on what is asked for each recipient', async () => {
    const { pickup, taken, leave } = setUp({ kind: 'queued', queueId: 'ABC123' });
    const recipients = [
      { address: 'b', notify: ['never'], dsnOriginal: 'rfc822;o' },
      { address: 'c', notify: ['success', 'delay'], dsnOriginal: '' },
    ] as const;
    leave('F1', `${formatMaildropEnvelope({ ...ENVELOPE, recipients })}x\n`);
    await pickup.scan();
    assert.deepEqual(taken[0]?.asked, ['never rfc822;o', 'success,delay ']);
  });

  it('takes mail for come when it was handed in, but not from the future', async () => {
    const noon = Date.UTC(2026, 4, 1, 12);
    const queued = { kind: 'queued', queueId: 'ABC123' } as const;
    const { pickup, taken, leave } = setUp(queued, undefined, undefined, undefined, noon);
    for (const createdAt of [noon - 86_400_000, noon + 1000]) {
      leave(`F${createdAt}`, `${formatMaildropEnvelope({ ...ENVELOPE, createdAt })}x\n`);
    }
    await pickup.scan();
    const times = taken.map(({ options }) => options.envelope.arrivedAt);
    assert.deepEqual(
      times.toSorted((a, b) => a - b),
      [noon - 86_400_000, noon],
    );
    const received = taken.map(({ options: { prepend } }) => (typeof prepend === 'function' ? prepend() : prepend));
    assert.ok(received.some((field) => /; Thu, 30 Apr 2026 /.test(field.toString())));
  });

  it('takes no file that another generation has in work', async () => {
    const maildrop = newMaildrop();
    const queued = { kind: 'queued', queueId: 'ABC123' } as const;
    const [older, newer] = [setUp(queued, { ok: true }, maildrop), setUp(queued, { ok: true }, maildrop)];
    for (let i = 0; i < 10; i += 1) older.leave(`F${i}`, `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await Promise.all([older.pickup.scan(), newer.pickup.scan()]);
    assert.equal(older.taken.length + newer.taken.length, 10);
  });

  it('leaves files that are being written, and keeps those that are refused for now', async () => {
    const { pickup, taken, leave } = setUp({
      kind: 'refused',
      code: 451,
      dsn: '4.3.0',
      text: 'later',
      isRuleText: true,
    });
    const writing = leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`, 0o600);
    const kept = leave('F2', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await pickup.scan();
    assert.equal(taken.length, 1);
    assert.ok(existsSync(writing) && existsSync(kept));
  });

  it('says of a file that stays why it could not be taken, unless a rule has said so', async () => {
    const refused = { kind: 'refused', code: 451, dsn: '4.3.0', text: 'queue file write error' } as const;
    const { pickup, log, leave } = setUp({ ...refused, isRuleText: false });
    leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await pickup.scan();
    assert.match(log.join('\n'), /^warning: maildrop\/F1: error writing ABC123: queue file write error$/m);
    const ruled = setUp({ ...refused, isRuleText: true });
    ruled.leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await ruled.pickup.scan();
    assert.doesNotMatch(ruled.log.join('\n'), /warning/);
  });

  it('tells the sender of bytes that are no text by a mark', async () => {
    const text = 'no \udce4 ä';
    const refused = { kind: 'refused', code: 550, dsn: '5.7.1', text, isRuleText: true, returned: envelope } as const;
    const { pickup, log, leave } = setUp(refused);
    leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await pickup.scan();
    assert.match(log.join('\n'), /status=bounced \(no \? ä\)$/m);
  });

  it('keeps a refused file until its sender has been told', async () => {
    const refused = {
      kind: 'refused',
      code: 550,
      dsn: '5.7.1',
      text: 'no',
      isRuleText: true,
      returned: envelope,
    } as const;
    const { pickup, returned, leave } = setUp(refused, { ok: false, reason: 'no space' });
    const path = leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await pickup.scan();
    assert.deepEqual(returned, [{ queueId: 'ABC123', messageId: '<m@x>', to: ['b', 'c d@x'] }]);
    assert.ok(existsSync(path));
  });

  it('returns all of a refused file, however large, under the header section that cleanup made', async () => {
    const refused = { kind: 'refused', code: 554, dsn: '5.4.0', text: 'too many hops', isRuleText: false } as const;
    const body = 'line\n'.repeat(500_000);
    for (const header of ['Subject: s\r\n', 'Received: by x\r\nSubject: s\r\n']) {
      const isMade = header.startsWith('Received');
      const returned = { ...envelope, ...(isMade && { header: Buffer.from(header) }) };
      const { pickup, contents, leave } = setUp({ ...refused, returned });
      leave('F1', `${formatMaildropEnvelope(ENVELOPE)}Subject: s\n\n${body}`);
      await pickup.scan();
      const whole = `${header}\r\n${body.replaceAll('\n', '\r\n')}`;
      assert.deepEqual(
        contents.map((content) => content === whole),
        [true, true],
      );
    }
  });

  it('removes files that came at no time', async () => {
    const { pickup, taken, leave } = setUp({ kind: 'queued', queueId: 'ABC123' });
    const envelope = JSON.stringify({ ...ENVELOPE, createdAt: 1e300 });
    const path = leave('F1', `${envelope}\nx\n`);
    await pickup.scan();
    assert.equal(taken.length, 0);
    assert.ok(!existsSync(path));
  });

  it('removes files that are malformed, and those that are refused for good and returned', async () => {
    const { pickup, log, leave, returned } = setUp({
      kind: 'refused',
      code: 550,
      dsn: '5.7.1',
      text: 'no',
      isRuleText: true,
      returned: envelope,
    });
    const paths = [leave('F1', 'no envelope\nx\n'), leave('F2', `${formatMaildropEnvelope(ENVELOPE)}x\n`)];
    await pickup.scan();
    assert.ok(!paths.some((path) => existsSync(path)));
    assert.equal(returned.length, 1);
    assert.match(log.join('\n'), /^ABC123: to=<b>, relay=none, .*, dsn=5\.7\.1, status=bounced \(no\)$/m);
    assert.match(log.join('\n'), /^warning: .*F1: no envelope record -- removed$/m);
  });

  it('removes a link, wherever it leads', async () => {
    const { pickup, log, leave } = setUp({ kind: 'queued', queueId: 'ABC123' });
    const path = leave('F1', '');
    rmSync(path);
    symlinkSync('F1', path);
    await pickup.scan();
    assert.deepEqual(log, [`warning: ${path}: not a regular file -- removed`]);
    assert.equal(lstatSync(path, { throwIfNoEntry: false }), undefined);
  });

  it('sends a file that cannot be removed once, and goes on trying to remove it', async () => {
    let isFaulty = true;
    const remove = (path: string): Promise<void> =>
      isFaulty ? Promise.reject(new Error(`EIO: ${path}`)) : Promise.resolve(rmSync(path));
    const { pickup, taken, log, leave } = setUp({ kind: 'queued', queueId: 'ABC123' }, { ok: true }, undefined, remove);
    const path = leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await pickup.scan();
    await pickup.scan();
    assert.equal(taken.length, 1);
    assert.equal(log.filter((line) => /^warning: .*F1: EIO/.test(line)).length, 2);
    isFaulty = false;
    await pickup.scan();
    assert.ok(!existsSync(path));
    leave('F1', `${formatMaildropEnvelope(ENVELOPE)}y\n`);
    await pickup.scan();
    assert.equal(taken.length, 2);
  });

  it('sends a file that could not be removed no second time when it is started anew', async () => {
    const maildrop = newMaildrop();
    const faulty = (): Promise<void> => Promise.reject(new Error('EIO'));
    const started = (remove?: (path: string) => Promise<void>) =>
      setUp({ kind: 'queued', queueId: 'ABC123' }, { ok: true }, maildrop, remove);
    const first = started(faulty);
    const path = first.leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await first.pickup.scan();
    assert.equal(first.taken.length, 1);
    const second = started(faulty);
    await second.pickup.scan();
    const third = started();
    await third.pickup.scan();
    assert.equal(second.taken.length + third.taken.length, 0);
    assert.ok(!existsSync(path));
    assert.ok(!existsSync(`${maildrop}-taken`));
  });

  it('knows another file of the same name, also where somebody else has removed the first', async () => {
    const maildrop = newMaildrop();
    const faulty = (): Promise<void> => Promise.reject(new Error('EIO'));
    const first = setUp({ kind: 'queued', queueId: 'ABC123' }, { ok: true }, maildrop, faulty);
    const path = first.leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await first.pickup.scan();
    rmSync(path);
    const second = setUp({ kind: 'queued', queueId: 'ABC123' }, { ok: true }, maildrop);
    second.leave('F1', `${formatMaildropEnvelope(ENVELOPE)}other\n`);
    await second.pickup.scan();
    assert.equal(second.taken.length, 1);
    await first.pickup.scan();
    assert.ok(!existsSync(`${maildrop}-taken`));
  });

  it('ends a scan when what it found has been worked on, whatever has come since', { timeout: 10_000 }, async () => {
    const gates = new Map(['F1', 'F2'].map((name) => [name, Promise.withResolvers<void>()]));
    const begun = new Map(['F1', 'F2'].map((name) => [name, Promise.withResolvers<void>()]));
    const remove = async (path: string): Promise<void> => {
      begun.get(basename(path))?.resolve();
      await gates.get(basename(path))?.promise;
      rmSync(path);
    };
    const { pickup, taken, leave } = setUp({ kind: 'queued', queueId: 'ABC123' }, undefined, undefined, remove);
    leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    const first = pickup.scan();
    await begun.get('F1')?.promise;
    leave('F2', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    const second = pickup.scan();
    await begun.get('F2')?.promise;
    gates.get('F1')?.resolve();
    await first;
    gates.get('F2')?.resolve();
    await second;
    assert.equal(taken.length, 2);
  });

  it('starts without waiting for the work on what is there', { timeout: 10_000 }, async () => {
    const gate = Promise.withResolvers<void>();
    const { pickup, taken, leave } = setUp(
      { kind: 'queued', queueId: 'ABC123' },
      undefined,
      undefined,
      async (path) => {
        await gate.promise;
        rmSync(path);
      },
    );
    const path = leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    await pickup.start();
    gate.resolve();
    await pickup.stop();
    assert.equal(taken.length, 1);
    assert.ok(!existsSync(path));
  });

  it('says in the words of the system what fails', async () => {
    const maildrop = join(directory, 'nowhere');
    const { pickup, log } = setUp({ kind: 'queued', queueId: 'ABC123' }, undefined, maildrop);
    await pickup.scan();
    assert.deepEqual(log, [`warning: scan directory ${maildrop}: No such file or directory`]);
  });

  it('takes a file as soon as it is complete', async () => {
    const { pickup, taken, leave } = setUp({ kind: 'queued', queueId: 'ABC123' });
    await pickup.start();
    const path = leave('F1', `${formatMaildropEnvelope(ENVELOPE)}x\n`);
    for (let turn = 0; turn < 500 && existsSync(path); turn++) await new Promise((done) => setTimeout(done, 10));
    await pickup.stop();
    assert.equal(taken.length, 1);
  });
});
