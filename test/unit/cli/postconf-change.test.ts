import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { EditError } from '../../../src/cli/edit-file.ts';
import { changeMain, changeMaster } from '../../../src/cli/postconf/change.ts';
import { parsePostconf } from '../../../src/cli/postconf/options.ts';

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
