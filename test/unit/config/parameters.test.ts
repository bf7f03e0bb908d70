import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ParameterRegistry } from '#config';
import { usedNames } from './used-names.ts';

describe('the parameter registry', () => {
  const registry = new ParameterRegistry();
  const used = usedNames();
  const current = registry.names().filter((name) => registry.get(name)?.obsolete !== 'removed');

  it('says of every name whether it has an effect, as the source has it', () => {
    const claimed = (status: string): readonly string[] =>
      current.filter((name) => registry.get(name)?.status === status);
    assert.deepEqual(
      claimed('implemented').filter((name) => !used.has(name)),
      [],
      'said to be implemented, and read nowhere: put them into parameters/without-effect.ts',
    );
    assert.deepEqual(
      [...claimed('inert'), ...claimed('pending')].filter((name) => used.has(name)),
      [],
      'said to have no effect, and read: take them out of parameters/without-effect.ts',
    );
  });

  it('lists no name as without effect that does not exist', () => {
    const text = readFileSync(new URL('../../../src/config/parameters/without-effect.ts', import.meta.url), 'utf8');
    const listed = [...text.matchAll(/'([A-Za-z0-9_ ]+)'/g)].flatMap((match) => (match[1] ?? '').trim().split(' '));
    assert.deepEqual(
      listed.filter((name) => name !== '' && registry.get(name) === undefined),
      [],
    );
  });
});
