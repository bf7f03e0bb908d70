import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Workbench } from './workbench.ts';

async function answer(rules: readonly string[], key: string) {
  using bench = new Workbench();
  const value = await bench.value(`cidr:${bench.write('nets', ...rules)}`, key);
  return { value, warnings: bench.warnings.map((text) => text.replace('cidr map DIR/nets, ', '')) };
}

describe('cidr tables', () => {
  it('answer by the first network that holds the address', async () => {
    const rules = ['192.0.2.0/24 net', '192.0.2.5 late', '[2001:db8::]/32 six'];
    assert.equal((await answer(rules, '192.0.2.5')).value, 'net');
    assert.equal((await answer(rules, '2001:db8::5')).value, 'six');
    assert.equal((await answer(rules, 'word')).value, undefined);
  });

  it('take an address of the other family, mapped, for what is written', async () => {
    const rules = ['192.0.2.0/24 four', '::ffff:0:0/96 mapped'];
    assert.equal((await answer(rules, '::ffff:192.0.2.5')).value, 'mapped');
  });

  it('negate within the same family only', async () => {
    const rules = ['!192.0.2.0/24 elsewhere'];
    assert.equal((await answer(rules, '192.0.3.1')).value, 'elsewhere');
    assert.equal((await answer(rules, '192.0.2.1')).value, undefined);
    assert.equal((await answer(rules, '2001:db8::1')).value, undefined);
    assert.equal((await answer(rules, 'word')).value, undefined);
  });

  it('tell of what stands behind an end before they tell that nothing ends there', async () => {
    const { warnings } = await answer(['endif x', 'endif'], '192.0.2.1');
    assert.deepEqual(warnings, [
      'line 1: garbage after ENDIF: skipping this rule',
      'line 2: ENDIF without IF: skipping this rule',
    ]);
  });

  it('have blocks', async () => {
    const rules = ['if 10.0.0.0/8', '10.1.0.0/16 one', 'endif', 'if !10.0.0.0/8', '0.0.0.0/0 other', 'endif'];
    assert.equal((await answer(rules, '10.1.2.3')).value, 'one');
    assert.equal((await answer(rules, '10.2.2.3')).value, undefined);
    assert.equal((await answer(rules, '11.2.2.3')).value, 'other');
  });

  it('say what is wrong with a rule, and go on', async () => {
    const rules = [
      '1.2.3.4/33 a',
      '1.2.3.4/24 b',
      'name c',
      '1.2.3.0/24',
      '1.2.3.4/x d',
      '/24 e',
      '[1.2.3.4 f',
      '[1.2.3.4]g h',
      'if',
      'endif',
      'if 1.2.3.0/24',
      'endif i',
      '1.2.3.4 ok',
    ];
    const { value, warnings } = await answer(rules, '1.2.3.4');
    assert.equal(value, 'ok');
    assert.deepEqual(warnings, [
      'line 1: bad mask length in "1.2.3.4/33": skipping this rule',
      'line 2: non-null host address bits in "1.2.3.4/24", perhaps you should use "1.2.3.0/24" instead: skipping this rule',
      'line 3: bad address pattern: "name": skipping this rule',
      'line 4: no lookup result: skipping this rule',
      'line 5: bad mask value in "1.2.3.4/x": skipping this rule',
      'line 6: bad network value in "/24": skipping this rule',
      `line 7: missing ']' character after "[1.2.3.4": skipping this rule`,
      'line 8: garbage after "[1.2.3.4]": skipping this rule',
      'line 9: no address pattern: skipping this rule',
      'line 10: ENDIF without IF: skipping this rule',
      'line 12: garbage after ENDIF: skipping this rule',
      'line 11: IF has no matching ENDIF',
    ]);
  });
});
