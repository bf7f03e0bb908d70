import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LineEndNormalizer } from '#smtp';

describe('line ends of chunks', () => {
  it('do not keep more CRs waiting than a line end may have', () => {
    const lines = new LineEndNormalizer();
    let given = 0;
    for (let chunk = 0; chunk < 10; chunk += 1) given += lines.push(Buffer.alloc(50_000, '\r')).length;
    assert.ok(given > 400_000, `${given} bytes`);
    assert.equal(given + lines.push(Buffer.from('x')).length, 500_001);
  });
});
