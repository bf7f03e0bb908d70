import assert from 'node:assert/strict';
import { chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { run } from '../../../src/cli/postmap.ts';

describe('postmap', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-postmap-'));
  writeFileSync(join(directory, 'main.cf'), 'myhostname = mail.example.com\nsmtputf8_enable = yes\n');
  writeFileSync(join(directory, 'text'), 'content');
  after(() => rmSync(directory, { recursive: true }));

  async function said(args: readonly string[], input = Buffer.alloc(0)): Promise<string> {
    let text = '';
    const status = await run(['-c', directory, ...args], {
      stdout: (chunk) => void (text += String(chunk)),
      stderr: (chunk) => void (text += String(chunk)),
      stdin: Readable.from([input]),
      env: {},
      uid: process.getuid?.() ?? 0,
    });
    return `${text}${status}`;
  }

  it('reads the files that values of tables in memory name, with -F', async () => {
    assert.equal(await said(['-Fq', 'k', `inline:{k=${directory}/text}`]), 'content\n0');
    assert.equal(await said(['-Fq', 'k', `static:${directory}/text`]), 'content\n0');
    assert.equal(
      await said(['-Fq', 'k', 'inline:{k=/nonexistent}']),
      'postmap: fatal: open /nonexistent: No such file or directory: "inline:{k=/nonexistent}"; need "inline:{name=filename...}"\n1',
    );
  });

  it('warns of keys that are no UTF-8, and finds nothing', async () => {
    assert.equal(
      await said(['-q', '-', 'inline:{x=1}'], Buffer.from('caf\xc3\nx\n', 'latin1')),
      'postmap: warning: inline:{x=1}: non-UTF-8 key "caf?": malformed UTF-8 or invalid codepoint\nx\t1\n0',
    );
  });

  it('looks up lines of mail whatever their bytes, and prints them as they are', async () => {
    const printed: Buffer[] = [];
    const mail = Buffer.from('X: \xe4\n\nx\n', 'latin1');
    const status = await run(['-c', directory, '-hq', '-', 'regexp:{{/^X: (.)$/ INFO $1}}'], {
      stdout: (chunk) => void printed.push(Buffer.from(chunk)),
      stderr: (chunk) => void printed.push(Buffer.from(chunk)),
      stdin: Readable.from([mail]),
      env: {},
      uid: process.getuid?.() ?? 0,
    });
    assert.equal(Buffer.concat(printed).toString('latin1'), 'X: \xe4\tINFO \xe4\n');
    assert.equal(status, 0);
  });

  it('warns of such keys by the file of an index', async () => {
    writeFileSync(join(directory, 'u'), 'k v\n');
    await said([`hash:${directory}/u`]);
    assert.equal(
      await said(['-q', '-', `hash:${directory}/u`], Buffer.from('\xc3(\n', 'latin1')),
      `postmap: warning: hash:${directory}/u.db: non-UTF-8 key "?(": malformed UTF-8 or invalid codepoint\n1`,
    );
  });

  it('folds only ASCII with -u', async () => {
    assert.equal(await said(['-q', 'CAFÉ', 'inline:{café=1}']), '1\n0');
    assert.equal(await said(['-u', '-q', 'CAFÉ', 'inline:{café=1}']), '1');
    assert.equal(await said(['-u', '-q', 'CAFé', 'inline:{café=1}']), '1\n0');
  });

  it('folds only ASCII where smtputf8_enable is off', async () => {
    const other = mkdtempSync(join(tmpdir(), 'posthorn-postmap-'));
    writeFileSync(join(other, 'main.cf'), 'myhostname = mail.example.com\nsmtputf8_enable = no\n');
    writeFileSync(join(other, 'u'), 'CAFÉX y\n');
    assert.equal(await said(['-c', other, `hash:${other}/u`]), '0');
    assert.equal(await said(['-c', other, '-s', `hash:${other}/u`]), 'cafÉx\ty\n0');
    assert.equal(await said(['-c', other, '-q', 'CAFÉX', `hash:${other}/u`]), 'y\n0');
    rmSync(other, { recursive: true });
  });

  it("gives an index to its source's group, also where root owns both", async () => {
    const source = join(directory, 'grouped');
    writeFileSync(source, 'k 1\n');
    const uid = process.getuid?.() ?? 0;
    chownSync(source, uid, uid === 0 ? 54_321 : (process.getgid?.() ?? 0));
    for (const [type, index] of [
      ['hash', 'db'],
      ['cdb', 'cdb'],
    ]) {
      assert.equal(await said([`${type}:${source}`]), '0');
      assert.equal(statSync(`${source}.${index}`).uid, uid);
      assert.equal(statSync(`${source}.${index}`).gid, statSync(source).gid);
    }
    assert.equal(process.getegid?.(), process.getgid?.());
  });

  it('calls an index with a duplicate key as its type does', async () => {
    const source = join(directory, 'twice');
    writeFileSync(source, 'k 1\nk 2\n');
    const warned = async (type: string): Promise<string> => said([`${type}:${source}`]);
    assert.equal(await warned('hash'), `postmap: warning: ${source}.db: duplicate entry: "k"\n0`);
    assert.equal(await warned('lmdb'), `postmap: warning: lmdb:${source}: duplicate entry: "k"\n0`);
    assert.equal(await warned('cdb'), `postmap: warning: ${source}: duplicate entry: "k"\n0`);
  });

  it('does not list cdb files, as Postfix can’t', async () => {
    writeFileSync(join(directory, 'c'), 'k v\n');
    await said([`cdb:${directory}/c`]);
    assert.equal(
      await said(['-s', `cdb:${directory}/c`]),
      `postmap: fatal: table cdb:${directory}/c.cdb: sequence operation is not supported\n1`,
    );
  });

  it('reads a line up to a NUL, and joins what continues nothing', async () => {
    writeFileSync(join(directory, 'odd'), ' a 1\n b 2\nk v\0w\n');
    assert.equal(
      await said([`hash:${directory}/odd`]),
      `postmap: warning: ${directory}/odd: logical line must not start with whitespace: " a 1 b 2"\n0`,
    );
    assert.equal(await said(['-q', 'k', `hash:${directory}/odd`]), 'v\n0');
  });

  it('skips entries that name no file, with -F', async () => {
    writeFileSync(join(directory, 'files'), 'k ,\n');
    assert.equal(
      await said(['-F', `hash:${directory}/files`]),
      `postmap: warning: ${directory}/files, line 1: empty pathname list: >>,<<': skipping this entry\n0`,
    );
  });

  it('makes files that all may read with -p, whatever the umask', async () => {
    writeFileSync(join(directory, 'p'), 'k v\n', { mode: 0o600 });
    const before = process.umask(0o077);
    assert.equal(await said(['-p', `hash:${directory}/p`]), '0');
    process.umask(before);
    assert.equal(statSync(join(directory, 'p.db')).mode & 0o777, 0o644);
  });

  it('says what can’t be changed in the words of its type', async () => {
    assert.equal(
      await said(['-d', 'k', 'environ:x']),
      'postmap: fatal: table environ:x: delete operation is not supported\n1',
    );
    assert.equal(await said(['-d', 'k', 'internal:x']), '1');
    assert.equal(await said(['-i', 'fail:x']), 'postmap: fatal: table fail:x: write error: Application error\n1');
    assert.equal(await said(['-s']), '1');
  });

  it('makes a table that fails of nothing, and of nothing else', async () => {
    writeFileSync(join(directory, 'nothing'), '# no entry\n');
    writeFileSync(join(directory, 'entry'), 'k v\n');
    assert.equal(await said([`fail:${directory}/nothing`]), '0');
    assert.equal(
      await said([`fail:${directory}/entry`]),
      `postmap: fatal: table fail:${directory}/entry: write error: Application error\n1`,
    );
  });

  it('asks for empty lines of a body, and for no line of nothing', async () => {
    assert.equal(await said(['-bq', '-', 'static:v'], Buffer.from('A: b\n\nx\n\n')), '\tv\nx\tv\n\tv\n0');
    assert.equal(await said(['-bq', '-', 'static:v'], Buffer.from('')), '1');
  });

  it('warns of what an index holds that is no file, with -F', async () => {
    const source = join(directory, 'plain');
    writeFileSync(source, 'k YQ\nl YQ==\n');
    await said([`hash:${source}`]);
    const warning = `postmap: warning: table hash:${source}.db: key k: malformed BASE64 value: YQ\n`;
    assert.equal(
      await said(['-Fq', 'k', `hash:${source}`]),
      `${warning}postmap: fatal: table hash:${source}.db: query error\n1`,
    );
    assert.equal(await said(['-Fs', `hash:${source}`]), `${warning}l\ta\n0`);
  });

  it('lists the first table only', async () => {
    writeFileSync(join(directory, 'a'), 'k one\n');
    assert.equal(await said(['-s', `texthash:${directory}/a`, 'fail:x']), 'k\tone\n0');
  });
});
