import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { getSystemErrorName } from 'node:util';
import { statusOfErrno } from '../../../src/delivery/mailbox-error.ts';
import { errnoOf } from '../../../src/native/errno.ts';

describe('why a mailbox could not be written', () => {
  it('has its status also where Node has no name for it', () => {
    const { EDQUOT } = constants.errno;
    const quota = Object.assign(new Error('refused'), { errno: -EDQUOT, code: getSystemErrorName(-EDQUOT) });
    assert.equal(statusOfErrno(errnoOf(quota), ''), '4.2.2');
  });
});
