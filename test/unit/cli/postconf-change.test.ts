import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { EditError } from '../../../src/cli/edit-file.ts';
import { changeMain, changeMaster } from '../../../src/cli/postconf/change.ts';
import type { MasterMode } from '../../../src/cli/postconf/master-entries.ts';
import { type ChangeKind, parsePostconf } from '../../../src/cli/postconf/options.ts';

describe('postconf, changing files', () => {
  const directory = mkdtempSync(join(tmpdir(), 'posthorn-postconf-'));
  const path = join(directory, 'file.cf');
  after(() => rmSync(directory, { recursive: true }));

  const mainAfter = (text: string, ...operands: readonly string[]): string => {
    const warnings: string[] = [];
    writeFileSync(path, text);
    changeMain(path, 'edit', operands, (warning) => warnings.push(warning.replace(path, 'main.cf')));
    return [...warnings, readFileSync(path, 'utf8')].join('\n');
  };

  it('keeps every byte of text that is not ASCII', () => {
    assert.equal(mainAfter('# à\nb = voilà\n', 'a = voilà'), '# à\nb = voilà\na = voilà\n');
  });

  it('warns of names that are asked for or stand there twice', () => {
    assert.equal(
      mainAfter('a = 1\na = 2\n', 'a = 3', 'a = 4'),
      'ignoring earlier request: \'a = 3\'\nmain.cf: multiple entries for "a"\na = 4\na = 4\n',
    );
  });

  it('changes nothing when a request is bad, and leaves no file behind', () => {
    writeFileSync(path, 'a = 1\n');
    assert.throws(() => changeMain(path, 'edit', ['b = 2', 'nothing'], () => undefined), EditError);
    assert.throws(() => changeMain(join(directory, 'none.cf'), 'edit', ['a = b'], () => undefined), {
      message: `open ${join(directory, 'none.cf')} for reading: No such file or directory`,
    });
    assert.equal(readFileSync(path, 'utf8'), 'a = 1\n');
    assert.throws(() => readFileSync(join(directory, 'none.cf.tmp')));
  });

  it('finds no name with blanks around it to take out', () => {
    writeFileSync(path, 'a = 1\n');
    changeMain(path, 'drop', [' a '], () => undefined);
    assert.equal(readFileSync(path, 'utf8'), 'a = 1\n');
    changeMain(path, 'drop', ['a'], () => undefined);
    assert.equal(readFileSync(path, 'utf8'), '');
  });

  it('mends and takes out entries that can not be read, and changes others beside them', () => {
    const bad = 'bad unix - -\n';
    const good = 'd unix - - n - - smtp\n';
    const changed = (mode: MasterMode, change: ChangeKind, request: string): string => {
      writeFileSync(path, bad + good);
      changeMaster(path, mode, change, [request], () => undefined);
      return readFileSync(path, 'utf8');
    };
    assert.equal(changed('entries', 'drop', 'bad/unix'), good);
    assert.equal(changed('entries', 'comment', 'bad/unix'), `#${bad}${good}`);
    assert.match(changed('entries', 'edit', 'bad/unix=bad unix - - n - - error'), /^bad +unix .* error\nd unix/);
    assert.match(changed('entryParameters', 'edit', 'd/unix/a=b'), /^bad unix - -\nd +unix .* smtp\n +-o a=b\n$/);
    assert.throws(() => changed('fields', 'edit', 'bad/unix/chroot=y'), /line 1: bad field count/);
    writeFileSync(path, 'alone\n');
    assert.throws(
      () => changeMaster(path, 'entries', 'drop', ['d/unix'], () => undefined),
      /line 1: specify service name and type/,
    );
  });

  it('asks of a new value only where there is an entry for it', () => {
    writeFileSync(path, 'd unix - - n - - smtp\n');
    const warnings: string[] = [];
    changeMaster(path, 'fields', 'edit', ['e/unix/chroot=q'], (text) => warnings.push(text));
    assert.deepEqual(warnings, ['unmatched service_name/type: "e/unix/chroot=q"']);
    assert.throws(() => changeMaster(path, 'fields', 'edit', ['d/unix/chroot=q'], () => undefined), /invalid chroot/);
  });

  it('puts comments before an entry whose fields it writes anew', () => {
    writeFileSync(path, 'a unix - - n - - smtp\n# between\n  -o b=c\n\n# of the next\nd unix - - n - - smtp\n');
    changeMaster(path, 'fields', 'edit', ['a/unix/chroot=y'], () => undefined);
    assert.equal(
      readFileSync(path, 'utf8'),
      '# between\n\n# of the next\na          unix  -       -       y       -       -       smtp\n    -o b=c\nd unix - - n - - smtp\n',
    );
  });
});

describe('postconf, its command line', () => {
  const fatal = (...args: readonly string[]): string => {
    const parsed = parsePostconf(args);
    return 'fatal' in parsed ? parsed.fatal : '';
  };

  it('refuses options that exclude each other, or mean nothing together', () => {
    assert.equal(fatal('-n', '-e', '-d', 'a=b'), 'specify one of -d, -e, -n');
    assert.equal(fatal('-X', 'a=b'), 'specify one of -e, -X');
    assert.equal(fatal('-m', '-x', '-h'), 'with option -m, do not specify -h, -x');
    assert.equal(fatal('-M', '-h'), 'with option -M, do not specify -h');
    assert.equal(fatal('-M', '-x'), '');
  });

  it('refuses changes that name nothing', () => {
    assert.equal(fatal('-e'), '-e requires name=value argument');
    assert.equal(fatal('-X'), 'missing service argument');
    assert.equal(fatal('-M#'), 'missing service argument');
  });
});
