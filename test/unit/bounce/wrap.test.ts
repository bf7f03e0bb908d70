import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wrapText } from '../../../src/bounce/wrap.ts';

describe('the lines of a notice', () => {
  it('end without blanks, as the output of a command does with a line end', () => {
    assert.equal(wrapText('Command output: not found '), 'Command output: not found');
    assert.equal(wrapText('aaaa  bbbb cccc', 8), 'aaaa\r\n    bbbb\r\n    cccc');
    assert.equal(wrapText('aaaa bb   ', 8), 'aaaa bb');
  });
});
