import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeEnd } from '../../../src/master/process-end.ts';

describe("a process's end", () => {
  it('is told by status, or by the number of the signal, as tools look for it', () => {
    assert.equal(describeEnd(1, null), 'exit status 1');
    assert.equal(describeEnd(null, 'SIGKILL'), 'killed by signal 9');
  });
});
