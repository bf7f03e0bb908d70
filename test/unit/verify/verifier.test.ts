import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openSettings } from '#config';
import { type MailEvent, renderPostfixText } from '#events';
import type { ProbeResult, SubmissionOptions, SubmissionPort } from '#message';
import { createProbeSender, createVerifier, type Verifier } from '#verify';

const once = { count: 1, delayMs: 0 };
const patient = { count: 2, delayMs: 10_000 };
const day = 86_400_000;
const startAt = 1_700_000_000_000;
const good: ProbeResult = { state: 'deliverable', reason: '250 2.1.5 Ok' };
const bad: ProbeResult = { state: 'bounced', reason: '550 5.1.1 nobody here' };

class Scene {
  readonly verifier: Verifier;
  readonly probes: { readonly sender: string; readonly recipient: string; readonly options: SubmissionOptions }[] = [];
  readonly log: string[] = [];
  clock = startAt;

  constructor(directory: string, mainCf: string) {
    writeFileSync(join(directory, 'main.cf'), `compatibility_level = 3.6\nmyhostname = mail.example.com\n${mainCf}`);
    const submission: SubmissionPort = {
      open: (options) => ({
        queueId: 'PROBE',
        addRecipient: ({ address }) =>
          void this.probes.push({ sender: options.envelope.sender, recipient: address, options }),
        apply: () => undefined,
        write: () => undefined,
        end: () => Promise.resolve({ kind: 'queued', queueId: 'PROBE' }),
        abort: () => undefined,
      }),
    };
    this.verifier = createVerifier({
      settings: openSettings(directory).settings,
      submission,
      sender: createProbeSender({ sender: 'double-bounce', ttlMs: 0, rewrite: (address) => `${address}@example.com` }),
      events: { emit: (event: MailEvent) => void this.log.push(renderPostfixText(event)) },
      now: () => this.clock,
    });
  }

  get probed(): readonly string[] {
    return this.probes.map(({ recipient }) => recipient);
  }
}

describe('address verification', () => {
  let directory = '';
  const scenes: Scene[] = [];
  const setUp = (mainCf = ''): Scene => {
    const scene = new Scene(directory, `data_directory = ${directory}\naddress_verify_map =\n${mainCf}`);
    scenes.push(scene);
    return scene;
  };
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'verify-'));
  });
  after(() => {
    for (const { verifier } of scenes) verifier.close();
    rmSync(directory, { recursive: true });
  });

  it('sends one probe for an address, whoever asks while it is under way', async () => {
    const scene = setUp();
    const answers = [scene.verifier.query('a@x', patient), scene.verifier.query('a@x', patient)];
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'pending');
    assert.deepEqual(scene.probed, ['a@x']);
    scene.verifier.update('a@x', good);
    for (const answer of answers) assert.deepEqual(await answer, good);
  });

  it('probes as an internal message from the sender for probes', () => {
    const scene = setUp();
    void scene.verifier.query('a@x', once);
    const [probe] = scene.probes;
    assert.equal(probe?.sender, 'double-bounce@example.com');
    assert.deepEqual([probe.options.source, probe.options.envelope.origin], ['verify', 'verify']);
  });

  it('asks again when the answer has grown old, and meanwhile gives the old one', async () => {
    const scene = setUp();
    scene.verifier.update('a@x', good);
    scene.clock += 6 * day;
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'deliverable');
    assert.deepEqual(scene.probed, []);
    scene.clock += 2 * day;
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'deliverable');
    assert.deepEqual(scene.probed, ['a@x']);
    scene.clock += 30 * day;
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'pending');
  });

  it('asks again soon after an answer where answers grow old soon', async () => {
    const scene = setUp('address_verify_positive_refresh_time = 1s\n');
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'pending');
    scene.verifier.update('a@x', good);
    scene.clock += 3000;
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'deliverable');
    assert.deepEqual(scene.probed, ['a@x', 'a@x']);
  });

  it('forgets a failure sooner than a success', async () => {
    const scene = setUp();
    scene.verifier.update('a@x', bad);
    scene.clock += 4 * 3_600_000;
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'bounced');
    assert.deepEqual(scene.probed, ['a@x']);
    scene.clock += 4 * day;
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'pending');
  });

  it('keeps no failure without a negative cache, and tells nobody of it', async () => {
    const scene = setUp('address_verify_negative_cache = no\n');
    const answer = scene.verifier.query('a@x', patient);
    scene.verifier.update('a@x', bad);
    assert.equal((await answer)?.state, 'pending');
    assert.deepEqual(scene.probed, ['a@x', 'a@x']);
    assert.equal((await scene.verifier.query('a@x', once))?.state, 'pending');
    assert.deepEqual(scene.probed, ['a@x', 'a@x', 'a@x']);
  });

  it('knows after a restart what it knew', async () => {
    const mainCf = 'address_verify_map = btree:$data_directory/cache\n';
    const first = setUp(mainCf);
    first.verifier.update('a@x', { state: 'deferred', reason: 'later: with: colons' });
    first.verifier.close();
    const second = setUp(mainCf);
    const answer = await second.verifier.query('a@x', once);
    assert.deepEqual([answer?.state, answer?.reason], ['deferred', 'later: with: colons']);
  });

  it('never comes to an end with a cache that cannot be opened', async () => {
    const scene = setUp('address_verify_map = pcre:$data_directory/cache\n');
    const answer = await scene.verifier.query('a@x', once);
    assert.deepEqual([answer?.state, answer?.reason], ['pending', 'Address verification in progress']);
    assert.match(scene.log[0] ?? '', /^error: pcre:\S+ map requires O_RDONLY access mode$/);
  });
});

describe('the sender of probes', () => {
  const rewrite = (address: string): string => (address.includes('@') ? address : `${address}@example.com`);

  it('changes with the time, and is known for a while', () => {
    const hour = 3_600_000;
    const sender = createProbeSender({ sender: 'probe', ttlMs: hour, rewrite });
    const address = sender.make(startAt);
    assert.match(address, /^probe[0-9BCDFGHJ-NP-TV-Z]+@example\.com$/);
    assert.equal(sender.match(address.toLowerCase().replace('example', 'EXAMPLE'), startAt), undefined);
    for (const later of [-hour, 0, hour]) assert.equal(sender.match(address, startAt + later), 'probe@example.com');
    assert.equal(sender.match(address, startAt + 2 * hour), undefined);
    assert.equal(sender.match('probe@example.com', startAt), undefined);
  });

  it('is always the same without a lifetime', () => {
    const sender = createProbeSender({ sender: 'probe', ttlMs: 0, rewrite });
    assert.equal(sender.make(startAt), 'probe@example.com');
    assert.equal(sender.match('PROBE@example.com', startAt), 'probe@example.com');
    assert.equal(sender.match('prober@example.com', startAt), undefined);
  });

  it('may be nobody', () => {
    const sender = createProbeSender({ sender: '<>', ttlMs: 1, rewrite });
    assert.deepEqual([sender.make(0), sender.match('', 0), sender.match('a@b', 0)], ['', '', undefined]);
  });

  it('has both parts where it has an @', () => {
    assert.throws(() => createProbeSender({ sender: '@example.com', ttlMs: 0, rewrite }), /must not start with '@'/);
  });
});
