import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { run } from '../../../src/cli/postcat.ts';
import { type PrintOptions, RecordPrinter } from '../../../src/cli/postcat/printer.ts';
import { queuePath } from '../../../src/cli/postcat/queue-path.ts';
import { record, recordSize } from '../../../src/cli/postcat/records.ts';

const all: PrintOptions = {
  envelope: true,
  header: true,
  body: true,
  files: false,
  offsets: false,
  types: false,
  names: false,
  from: 0,
};

function printed(options: Partial<PrintOptions>, content: string, headerBytes: number): string {
  let text = '';
  const printer = new RecordPrinter(
    { ...all, ...options },
    'hold/A',
    (piece) => void (text += Buffer.from(piece).toString()),
  );
  printer.title('title');
  printer.envelope([record('S', 'a@x'), record('A', 'n=v')]);
  printer.mark('M', 'content');
  printer.content(Buffer.from(content), headerBytes);
  printer.mark('E', 'end');
  return text;
}

describe('postcat', () => {
  it('looks at standard input where nothing is named, with -q as well', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'posthorn-postcat-'));
    writeFileSync(join(directory, 'main.cf'), `myhostname = mail.example.com\nqueue_directory = ${directory}\n`);
    const said = async (options: readonly string[], input: string): Promise<string> => {
      let text = '';
      const status = await run(['-c', directory, ...options], {
        stdout: () => assert.fail(),
        stderr: (piece) => void (text += piece),
        stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]),
        env: {},
        uid: process.getuid?.() ?? 0,
      });
      return `${text}${status}`;
    };
    const warning = 'postcat: warning: stdin: input is not a valid queue file\n0';
    assert.deepEqual(await Promise.all([said([], 'x'), said(['-q'], 'x'), said(['-q'], '')]), [warning, warning, '0']);
    rmSync(directory, { recursive: true });
  });

  it('knows how long a record is', () => {
    assert.deepEqual([0, 127, 128, 2048].map(recordSize), [2, 129, 131, 2051]);
  });

  it('shows envelope, header section and body, or some of them', () => {
    const content = 'S: t\r\n\r\nbody\r\n';
    assert.equal(printed({}, content, 6), 'title\nsender: a@x\nnamed_attribute: n=v\ncontent\nS: t\n\nbody\nend\n');
    assert.equal(printed({ envelope: false, body: false }, content, 6), 'S: t\n');
    assert.equal(printed({ envelope: false, header: false }, content, 6), '\nbody\n');
  });

  it('puts the name of the file before each line', () => {
    const long = 'x'.repeat(3000);
    assert.equal(printed({ files: true, envelope: false }, `a\r\n${long}\r\n`, 0), `hold/A: a\nhold/A: ${long}\n`);
    const lines = printed({ files: true, offsets: true }, 'a\r\n', 0).split('\n');
    assert.deepEqual(lines.slice(0, 2), ['hold/A: title', 'hold/A:         0 sender: a@x']);
  });

  it('tells where each record begins, and of what kind it is', () => {
    const lines = printed({ offsets: true, types: true }, 'body\r\n', 0).split('\n');
    assert.deepEqual(lines.slice(1, -1), [
      '        0  83 sender: a@x',
      '        5  65 named_attribute: n=v',
      '       10  77 content',
      '       12  78 body',
      '       18  69 end',
    ]);
    assert.equal(printed({ offsets: true, from: 18 }, 'body\r\n', 0), '       18 end\n');
  });

  it('shows a long line as one, but for what is told of each record of it', () => {
    const line = 'x'.repeat(3000);
    assert.equal(printed({ envelope: false }, `${line}\r\n`, 0), `${line}\n`);
    assert.match(
      printed({ envelope: false, names: true }, `${line}\r\n`, 0),
      /^unterminated_text: x+\nregular_text: x+\n$/,
    );
  });

  it('names the place where Postfix would keep the message', () => {
    const hashing = { names: ['deferred'], depth: 2 };
    assert.equal(queuePath('deferred', 'A1B2C3', hashing), 'deferred/A/1/A1B2C3');
    assert.equal(queuePath('hold', 'A1B2C3', hashing), 'hold/A1B2C3');
    // 4 digits of base 52 before the z: microseconds
    assert.equal(
      queuePath('deferred', '4jWRb52mGmz1ZYY2', { names: ['deferred'], depth: 1 }),
      'deferred/5/4jWRb52mGmz1ZYY2',
    );
  });
});
