import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ConfigError, editMainText, expandValue, parseEntry, parseMainFile, readMasterText, splitList } from '#config';

/** Pieces that configuration files are made of, in any order. */
const configText = fc
  .array(
    fc.oneof(
      fc.constantFrom('=', '$', '{', '}', '(', ')', '?', ':', ' ', '\t', '\n', '\r\n', '#', ',', '"', '==', '<=level '),
      fc.constantFrom(
        'name',
        'other',
        'x',
        '$name',
        '${name}',
        '${x?{y}:{z}}',
        '${{a} == {b} ? {c} : {d}}',
        'yes',
        '1',
      ),
      fc.string({ maxLength: 6 }),
    ),
    { maxLength: 60 },
  )
  .map((pieces) => pieces.join(''));

describe('main.cf', () => {
  it('is read, or refused with file and line, whatever it holds', () => {
    fc.assert(
      fc.property(configText, (text) => {
        try {
          const { entries } = parseMainFile('main.cf', text);
          const count = text.split('\n').length;
          for (const { name, line } of entries) assert.ok(name !== '' && line >= 1 && line <= count);
        } catch (error) {
          assert.ok(error instanceof ConfigError);
          for (const problem of error.problems) assert.match(problem, /^main\.cf, line \d+: /);
        }
      }),
    );
  });

  it('keeps all other settings and all comments when one is changed', () => {
    const name = fc.stringMatching(/^[a-z_]{1,8}$/);
    const value = fc.stringMatching(/^[ -~]{0,20}$/).map((text) => text.trim());
    const line = fc.oneof(
      fc.tuple(name, value).map(([key, text]) => `${key} = ${text}`),
      value.map((text) => `# ${text}`),
      value.filter((text) => text !== '' && !text.startsWith('#')).map((text) => `    ${text}`),
      fc.constant(''),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 20 }), name, value, (lines, key, text) => {
        const before = parseMainFile('main.cf', `first = 1\n${lines.join('\n')}\n`);
        const edited = editMainText(`first = 1\n${lines.join('\n')}\n`, [{ kind: 'set', name: key, value: text }]);
        const after = parseMainFile('main.cf', edited);
        assert.equal(after.byName.get(key)?.value, text);
        for (const [other, entry] of before.byName) {
          if (other !== key) assert.equal(after.byName.get(other)?.value, entry.value);
        }
        const comments = (all: string): readonly string[] => all.split('\n').filter((each) => each.startsWith('#'));
        assert.deepEqual(comments(edited), comments(lines.join('\n')));
      }),
    );
  });
});

describe('values', () => {
  it('are expanded, or refused with a reason, whatever they hold', () => {
    fc.assert(
      fc.property(configText, configText, (text, inner) => {
        const expansion = expandValue(text, (name) => (name === 'name' ? inner : undefined));
        if (expansion.kind === 'failed') assert.notEqual(expansion.reason, '');
      }),
    );
  });

  it('are split into elements that hold no separator outside of braces', () => {
    fc.assert(
      fc.property(configText, (text) => {
        for (const word of splitList(text)) assert.ok(word !== '' && (/[{}]/.test(word) || !/[\s,]/.test(word)));
      }),
    );
  });
});

describe('master.cf', () => {
  it('is read, or refused with a reason, whatever it holds', () => {
    fc.assert(
      fc.property(configText, (text) => {
        const master = readMasterText('master.cf', text);
        if (typeof master === 'string') assert.notEqual(master, '');
        const entry = parseEntry(text, 1);
        if (typeof entry === 'string') assert.notEqual(entry, '');
      }),
    );
  });
});
