import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { bytesOf, textOf } from '#message';
import { hasPerlExpressions } from '#native';
import { Workbench } from './workbench.ts';

/** The value that rules give for a key, and what they were warned of. */
async function answer(type: 'regexp' | 'pcre', rules: readonly string[], key: string) {
  using bench = new Workbench();
  const path = bench.write('rules', ...rules);
  const value = await bench.value(`${type}:${path}`, key);
  return { value, warnings: bench.warnings.map((text) => text.replace(`${type} map DIR/rules, `, '')) };
}

describe('regexp and pcre tables of lines of mail', () => {
  for (const type of ['regexp', 'pcre'] as const) {
    it(`${type}: match and answer bytes that are no UTF-8`, async () => {
      using bench = new Workbench();
      const path = join(bench.directory, 'raw');
      writeFileSync(path, Buffer.from('/^(\xe4.)/ one $1\n/^[\xe5]/ two \xe5\n/^\xc3/ three\n', 'latin1'));
      const ask = async (key: string, anyBytes: boolean) => {
        const found = await bench.open(`${type}:${path}`, { anyBytes }).lookup(textOf(Buffer.from(key, 'latin1')));
        return found.kind === 'found' ? bytesOf(found.value).toString('latin1') : found.kind;
      };
      assert.equal(await ask('\xe4\xc3\xa4', true), 'one \xe4\xc3');
      assert.equal(await ask('\xe5', true), 'two \xe5');
      assert.equal(await ask('\xc3\xa4', true), 'three');
      assert.equal(await ask('\xe5', false), 'failed');
    });
  }
});

describe('regexp and pcre tables', () => {
  for (const type of ['regexp', 'pcre'] as const) {
    const value = async (rule: string, key: string): Promise<string | undefined> =>
      (await answer(type, [rule], key)).value;
    const warnings = async (...rules: readonly string[]): Promise<readonly string[]> =>
      (await answer(type, rules, 'x')).warnings;

    it(`${type}: ignore case unless the flag i toggles it`, async () => {
      assert.equal(await value('/^subject: hi/ yes', 'SUBJECT: Hi'), 'yes');
      assert.equal(await value('/^subject: hi/i yes', 'SUBJECT: Hi'), undefined);
      assert.equal(await value('/^subject: hi/ii yes', 'SUBJECT: Hi'), 'yes');
    });

    it(`${type}: put groups and dollars into results`, async () => {
      assert.equal(await value('/(a)(b)?(c)/ <$1><${2}><$(3)>$$1', 'xacx'), '<a><><c>$1');
      assert.equal(await value('/(.*)@/ to $1.', 'ü@x'), 'to ü.');
    });

    it(`${type}: take any delimiter, which a backslash takes its meaning`, async () => {
      assert.equal(await value(',a/b\\,c, yes', 'a/b,c'), 'yes');
    });

    it(`${type}: end the pattern at a backslash at the end of the line`, async () => {
      assert.deepEqual(await warnings('/i\\'), ['line 1: no replacement text: using empty string']);
    });

    it(`${type}: answer for what a negated pattern doesn't match`, async () => {
      assert.equal(await value('!/@/ no at', 'word'), 'no at');
      assert.equal(await value('! ! /@/ at', 'word'), undefined);
    });

    it(`${type}: enter blocks within blocks`, async () => {
      const rules = ['if /a/', 'IF !/b/', '/c/ a and c without b', 'endif', '/b/ a and b', 'EndIf', '/c/ c alone'];
      assert.equal((await answer(type, rules, 'ac')).value, 'a and c without b');
      assert.equal((await answer(type, rules, 'abc')).value, 'a and b');
      assert.equal((await answer(type, rules, 'c')).value, 'c alone');
    });

    it(`${type}: say what is wrong with a result, and go on`, async () => {
      assert.deepEqual(await warnings('/(a)/ $2', '/x/ ok'), [
        'line 1: out of range replacement index "2": skipping this rule',
      ]);
      assert.deepEqual(await warnings('/(a)/ $1x'), [
        'line 1: non-numeric replacement index "1x"',
        'line 1: bad replacement syntax: skipping this rule',
      ]);
      assert.deepEqual(await warnings('/(a)/ a $ b'), [
        'empty macro name: "a $ b"',
        'line 1: bad replacement syntax: skipping this rule',
      ]);
      assert.deepEqual(await warnings('/(a)/ ${1'), [
        'truncated macro reference: "${1"',
        'line 1: bad replacement syntax: skipping this rule',
      ]);
      assert.deepEqual(await warnings('!/(a)/ $1'), [
        'line 1: $number found in negative match replacement text: skipping this rule',
      ]);
      assert.deepEqual(await warnings('/a/'), ['line 1: no replacement text: using empty string']);
    });

    it(`${type}: say what is wrong with lines`, async () => {
      assert.deepEqual(
        await warnings('word', '', '/a/q b', 'if', 'endif', 'if /a/ b', '# comment', 'endif x', 'if /x/'),
        [
          'line 1: ignoring unrecognized request',
          'line 3: unknown regexp option "q": skipping this rule',
          'line 4: no regexp: skipping this rule',
          'line 5: ignoring ENDIF without matching IF',
          'line 6: ignoring extra text after IF statement: "b"',
          'line 6: do not prepend whitespace to statements between IF and ENDIF',
          'line 8: ignoring extra text after ENDIF',
          'line 9: IF has no matching ENDIF',
        ],
      );
    });

    it(`${type}: have rules in main.cf too, numbered`, async () => {
      using bench = new Workbench();
      assert.equal(await bench.value(`${type}:{{/(/ x}, { /a/ yes } {/b/ no}}`, 'a'), 'yes');
      assert.match(bench.warnings[0] ?? '', /^(regexp|pcre) map \{.*\}, line 1: /);
      assert.equal(bench.open(`${type}:{/a/ b}`).unavailable, `${type} map: no '{' at start of text in "/a/"`);
      assert.equal(bench.open(`${type}:{{/a/ b`).unavailable, `${type} map: missing '}' in "{{/a/ b"`);
    });

    it(`${type}: refuse results that depend on the key where they would be dangerous`, () => {
      using bench = new Workbench();
      const path = bench.write('rules', '/(a)/ $1', '/b/ c');
      const table = bench.open(`${type}:${path}`, { paranoid: true });
      assert.deepEqual(table.lookup('a'), { kind: 'missing' });
      assert.deepEqual(table.lookup('b'), { kind: 'found', value: 'c' });
      assert.deepEqual(bench.warnings, [
        `${type} map DIR/rules, line 1: regular expression substitution is not allowed: skipping this rule`,
      ]);
    });
  }
});

describe('an expression table that was closed', () => {
  it('has no answers, and does no harm', () => {
    using bench = new Workbench();
    for (const type of ['regexp', 'pcre']) {
      const table = bench.open(`${type}:{{/a/ b}, {/c/ d}}`);
      assert.deepEqual(table.lookup('a'), { kind: 'found', value: 'b' });
      table.close?.();
      assert.deepEqual(table.lookup('a'), { kind: 'missing' });
    }
  });
});

describe('regexp tables', () => {
  const value = async (rule: string, key: string): Promise<string | undefined> =>
    (await answer('regexp', [rule], key)).value;

  it('take the longest of the leftmost matches', async () => {
    assert.equal(await value('/(a|ab)(c|bcd)?/ <$1><$2>', 'abcd'), '<a><bcd>');
    assert.equal(await value('/(a|ab|abc)/ <$1>', 'abcd'), '<abc>');
  });

  it('are basic expressions with the flag x, and see lines with m', async () => {
    assert.equal(await value('/\\(a\\)|/x <$1>', 'a|'), '<a>');
    assert.equal(await value('/^b$/ yes', 'a\nb'), undefined);
    assert.equal(await value('/^b$/m yes', 'a\nb'), 'yes');
  });

  it('may except from a pattern', async () => {
    assert.equal(await value('/a/!/b/ a without b', 'a'), 'a without b');
    assert.equal(await value('/a/!/b/ a without b', 'ab'), undefined);
  });

  it('say what the C library thinks of a pattern', async () => {
    const rules = ['/(/ x', '/[a/ x', '/a{2,1}/ x', '/open', '/a/ ok'];
    const { value: found, warnings } = await answer('regexp', rules, 'a');
    assert.equal(found, 'ok');
    assert.deepEqual(warnings, [
      String.raw`line 1: Unmatched ( or \(`,
      'line 2: Unmatched [, [^, [:, [., or [=',
      String.raw`line 3: Invalid content of \{\}`,
      'line 4: no closing regexp delimiter "/": skipping this rule',
    ]);
  });
});

describe('pcre tables', () => {
  const value = async (rule: string, key: string): Promise<string | undefined> =>
    (await answer('pcre', [rule], key)).value;

  it('know what Perl knows', async () => {
    assert.equal(await value(String.raw`/^(?<user>\w+)@(?=b)(.*)$/ $1 at $2`, 'a@b'), 'a at b');
    assert.equal(await value('/(?i)a(?-i)B/i yes', 'AB'), 'yes');
    assert.equal(await value('/a++b/ yes', 'aab'), 'yes');
  });

  it('toggle by flags', async () => {
    assert.equal(await value('/a  b/x yes', 'ab'), 'yes');
    assert.equal(await value('/a.b/s yes', 'a\nb'), undefined);
    assert.equal(await value('/^b/m yes', 'a\nb'), 'yes');
    assert.equal(await value('/b/A yes', 'ab'), undefined);
    assert.equal(await value('/<(.*)>/U $1', '<a><b>'), 'a');
  });

  it('say what the library thinks of a pattern, and where', async () => {
    const { warnings } = await answer('pcre', ['/a(/ x', '/open'], 'a');
    assert.deepEqual(warnings, [
      'line 1: error in regex at offset 2: missing closing parenthesis',
      'line 2: no closing regexp delimiter "/": ignoring this rule',
    ]);
  });

  it('give up where trying on would take for ever', async () => {
    const { value: found, warnings } = await answer('pcre', ['/^(a+)+(?<!c)$/ x', '/a/ next'], `${'a'.repeat(40)}b`);
    assert.equal(found, 'next');
    assert.ok(warnings.length <= 1);
  });

  it(
    'take a key for neither, where that takes for ever',
    { skip: !hasPerlExpressions() && 'no PCRE2 here' },
    async () => {
      const key = `${'a'.repeat(40)}!`;
      const value = async (...rules: readonly string[]): Promise<string | undefined> =>
        (await answer('pcre', rules, key)).value;
      assert.equal(await value('!/^(a+)+$/ OK', '/a/ REJECT'), 'REJECT');
      assert.equal(await value('if !/^(a+)+$/', '/a/ OK', 'endif', '/a/ REJECT'), 'REJECT');
      assert.equal(await value('!/^b$/ OK', '/a/ REJECT'), 'OK');
      assert.equal(await value('if !/^b$/', '/a/ OK', 'endif', '/a/ REJECT'), 'OK');
    },
  );

  it('pcre: knows no exceptions to a pattern, and says which flags are obsolete', async () => {
    const warned = async (rule: string): Promise<readonly string[]> => (await answer('pcre', [rule], 'a')).warnings;
    assert.deepEqual(await warned('/a/!/b/ x'), ['line 1: unknown regexp option "!": skipping this rule']);
    assert.deepEqual(await warned('/a/X x'), ['line 1: ignoring obsolete regexp option "X"']);
    assert.deepEqual(await warned('/(a)/ $0'), [
      'line 1: out of range replacement index "0"',
      'line 1: bad replacement syntax: skipping this rule',
    ]);
  });

  it('skip comments among rules in main.cf', async () => {
    using bench = new Workbench();
    assert.equal(await bench.value('regexp:{ {#no rule} {/a/ x} }', 'a'), 'x');
    assert.deepEqual(bench.warnings, []);
  });
});
