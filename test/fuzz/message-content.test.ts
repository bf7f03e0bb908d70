import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { createCleanup } from '#cleanup';
import { openSettings } from '#config';
import { internalEnvelope, type SubmissionOptions, type SubmissionPort, type SubmissionResult } from '#message';
import { createRewriter } from '#rewrite';
import type { QueueStore } from '#store';
import { TableOpener } from '#tables';

const client = {
  name: 'client.example.org',
  reverseName: 'client.example.org',
  address: '192.0.2.1',
  port: '1',
  heloName: 'client',
  protocol: 'ESMTP',
  serverAddress: '',
  serverPort: '',
};
const options: SubmissionOptions = {
  source: 'smtpd',
  overrides: [],
  prepend: Buffer.from('Received: from x\r\n'),
  envelope: { ...internalEnvelope('a@example.org', 0, 'mail'), client, logClient: client },
};

/** A store that only remembers what is written to it. */
class Memory {
  written: Buffer[] = [];
  headerBytes = 0;
  begin(): ReturnType<QueueStore['begin']> {
    this.written = [];
    return {
      queueId: 'ABCDEF123',
      write: (chunk) => void this.written.push(Buffer.from(chunk)),
      commit: ({ headerBytes }) => {
        this.headerBytes = headerBytes;
        return Promise.resolve();
      },
      addRecipients: () => undefined,
      forgetRecipients: () => undefined,
      abort: () => undefined,
    };
  }
}

/** Cuts bytes at any places. */
function cut(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  return [...sorted, bytes.length].map((place, i) => bytes.subarray(i === 0 ? 0 : (sorted[i - 1] ?? 0), place));
}

const headerLike = fc.oneof(
  fc.constantFrom(
    'From: a@b',
    'To: "x y" <c@d>, e (comment)',
    'Cc: group: a, b;',
    'Subject: s',
    ' folded',
    '\tfolded',
    '',
  ),
  fc.constantFrom(
    'Content-Type: multipart/mixed; boundary=b',
    'Content-Type: message/rfc822',
    '--b',
    '--b--',
    'Resent-To: x',
    'Bcc: hidden',
    '.',
    'From ',
  ),
  fc.string({ maxLength: 30 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const content = fc
  .array(headerLike, { maxLength: 15 })
  .map((lines) => Buffer.from(lines.map((line) => `${line.replaceAll(/[\r\n]/g, '')}\r\n`).join('')));

describe('message content', () => {
  const directory = mkdtempSync(join(tmpdir(), 'content-'));
  const memory = new Memory();
  let submission: SubmissionPort;
  before(() => {
    writeFileSync(
      join(directory, 'main.cf'),
      'myhostname = mail.example.com\nheader_checks = regexp:{{/^Subject: s/ REPLACE Subject: t}}\n' +
        'body_checks = regexp:{{/secret/ IGNORE}}\n' +
        'mime_header_checks = regexp:{{/^content-type:/ PREPEND X-Seen: yes}}\n' +
        'nested_header_checks = regexp:{{/^subject:/ IGNORE}}\n',
    );
    const { settings } = openSettings(directory);
    const warn = (): void => undefined;
    const tables = new TableOpener({ settings, configDirectory: directory, warn });
    const rewriter = createRewriter({ settings, tables, warn });
    const store: Partial<QueueStore> = memory;
    submission = createCleanup({ settings, tables, rewriter, store: asStore(store), events: { emit: warn } });
  });
  after(() => rmSync(directory, { recursive: true }));

  async function submit(
    chunks: readonly Buffer[],
  ): Promise<{ readonly result: SubmissionResult; readonly stored: string }> {
    const opened = submission.open(options);
    void opened.addRecipient({ address: 'b@example.com', original: 'b@example.com', dsnOriginal: '', notify: [] });
    for (const chunk of chunks) await opened.write(chunk);
    const result = await opened.end();
    return { result, stored: Buffer.concat(memory.written).toString('latin1') };
  }

  it('is stored the same however it is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.nat(2000), { maxLength: 8 }), async (bytes, places) => {
        const whole = await submit([bytes]);
        const pieces = await submit(cut(bytes, places));
        assert.deepEqual(pieces, whole);
      }),
      { numRuns: 300 },
    );
  });

  it('is stored with the fields on top, and a header section that ends where it says', async () => {
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        const { result, stored } = await submit([bytes]);
        assert.equal(result.kind, 'queued');
        assert.ok(stored.startsWith('Received: from x\r\n'));
        const header = stored.slice(0, memory.headerBytes);
        assert.ok(!header.includes('\r\n\r\n') && header.endsWith('\r\n'), JSON.stringify(stored));
      }),
      { numRuns: 300 },
    );
  });
});

/** The rest of a store is not asked for. */
function asStore(part: Partial<QueueStore>): QueueStore {
  const refuse = (): never => {
    throw new Error('cleanup asked the store for more than a place');
  };
  return new Proxy(Object.create(null), { get: (_, name) => Reflect.get(part, name)?.bind(part) ?? refuse });
}
