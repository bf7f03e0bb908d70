import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { membersOf } from '../../../../src/delivery/local/destinations.ts';

describe('members of aliases and .forward files', () => {
  it('stand on one or several lines, with commas or blanks between them', () => {
    assert.deepEqual([...membersOf('alice, bob\ncarol dave\n')], ['alice', 'bob', 'carol', 'dave']);
  });

  it('do not stand on lines that begin with #', () => {
    assert.deepEqual([...membersOf('# nobody\nalice\n#bob')], ['alice']);
  });

  it('are commands with what stands behind the bar', () => {
    assert.deepEqual([...membersOf('"| /bin/cat > x"')], ['| /bin/cat > x']);
  });

  it('keep a backslash only where it is quoted', () => {
    assert.deepEqual([...membersOf(String.raw`\alice, "\\bob"`)], ['alice', String.raw`\bob`]);
  });
});
