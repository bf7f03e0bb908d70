import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkClass } from '../../../../src/delivery/smtp/output-checks.ts';

describe('the table that checks a header on its way out', () => {
  it('is that of MIME headers wherever they stand', () => {
    assert.equal(checkClass('Content-Type', 'primary', false), 'part');
    assert.equal(checkClass('mime-version', 'nested', false), 'part');
    assert.equal(checkClass('Subject', 'nested', false), 'nested');
    assert.equal(checkClass('Content-Language', 'primary', false), 'primary');
  });

  it('goes by the place of a header that the conversion made', () => {
    assert.equal(checkClass('Content-Transfer-Encoding', 'primary', true), 'primary');
    assert.equal(checkClass('Content-Transfer-Encoding', 'nested', true), 'nested');
  });
});
