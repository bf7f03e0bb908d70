import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { parseMaildropEnvelope } from '#message';
import { run } from '../../../src/cli/postdrop.ts';

const record = (type: string, data = ''): string => `${type}${String.fromCharCode(data.length)}${data}`;
const content = [record('M'), record('N', 'S: t'), record('N'), record('L', 'a'), record('N', 'b')].join('');
const end = record('X') + record('E');

describe('postdrop', () => {
  const directory = mkdtempSync(join(tmpdir(), 'postdrop-'));
  const maildrop = join(directory, 'queue', 'maildrop');
  writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\nqueue_directory = ${directory}/queue\n`);
  after(() => rmSync(directory, { recursive: true }));

  /** What it said, and the files it left. */
  async function drop(...chunks: readonly string[]): Promise<readonly [output: string, files: readonly string[]]> {
    rmSync(maildrop, { recursive: true, force: true });
    mkdirSync(maildrop, { recursive: true });
    let output = '';
    const status = await run(['-r', '-c', directory], {
      stdout: (text) => void (output += String(text).replaceAll('\0', '|')),
      stderr: (text) => void (output += text),
      stdin: Readable.from(chunks.map((text) => Buffer.from(text, 'latin1'))),
      env: {},
      uid: 0,
    });
    const files = readdirSync(maildrop).map((name) => readFileSync(join(maildrop, name), 'utf8'));
    return [`${output.replace(/queue_id\|[0-9A-F]+/, 'queue_id|ID')}${status}`, files];
  }
  const started = 'protocol|postdrop_protocol|queue_id|ID||';

  it('keeps a message, however its records arrive', async () => {
    const text = record('A', 'encoding=8bit') + record('S', 'a@x') + record('R', 'b@y') + content + end;
    for (const chunks of [[text], text.split('')]) {
      const [output, [file = '', ...others]] = await drop(...chunks);
      assert.equal(output, `${started}status|0|reason|||0`);
      assert.deepEqual(others, []);
      const [head = '', ...lines] = file.split('\n');
      const envelope = parseMaildropEnvelope(head);
      assert.deepEqual([envelope?.sender, envelope?.encoding], ['a@x', '8bit']);
      assert.deepEqual(envelope?.recipients, [{ address: 'b@y', notify: [], dsnOriginal: '' }]);
      assert.deepEqual(lines, ['S: t', '', 'ab', '']);
    }
  });

  it('keeps nothing of what makes no message', async () => {
    assert.deepEqual(await drop(record('R', 'b') + content + end), [`${started}status|1|reason|||0`, []]);
    assert.deepEqual(await drop(record('S', 'a') + record('R', 'b') + content), [`${started}0`, []]);
    const [unexpected, none] = await drop(record('S', 'a') + record('T', '1 0'));
    assert.match(unexpected, /postdrop: fatal: uid=0: unexpected record type: 84\n1$/);
    assert.deepEqual(none, []);
    assert.match((await drop('foo\n'))[0], /unexpected EOF in data, record type 102 length 111\n.*malformed input\n1$/);
  });

  it('takes what is asked for a recipient for that one alone', async () => {
    const [, [file = '']] = await drop(
      record('S', 'a'),
      record('A', 'notify_flags=1') + record('A', 'dsn_orig_rcpt=rfc822;o') + record('R', 'b'),
      record('n', '10') + record('R', 'c') + record('R', 'd') + content + end,
    );
    assert.deepEqual(parseMaildropEnvelope(file.split('\n', 1)[0] ?? '')?.recipients, [
      { address: 'b', notify: ['never'], dsnOriginal: 'rfc822;o' },
      { address: 'c', notify: ['success', 'delay'], dsnOriginal: '' },
      { address: 'd', notify: [], dsnOriginal: '' },
    ]);
  });

  it('does without attributes that are not the submitter’s to set', async () => {
    const [output] = await drop(record('A', 'client_name=x') + record('S', 'a') + record('R', 'b') + content + end);
    assert.match(output, /postdrop: warning: uid=0: ignoring attribute record: client_name=x\n/);
  });
});
