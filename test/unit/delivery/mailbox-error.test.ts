import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { getSystemErrorName } from 'node:util';
import { errnoOf, errnoText, statusOfErrno } from '../../../src/delivery/mailbox-error.ts';

/** As Node has it for an error of the system. */
const refusedWith = (errno: number): Error =>
  Object.assign(new Error('refused'), { errno: -errno, code: getSystemErrorName(-errno) });

describe('why a mailbox could not be written', () => {
  it('is known also where Node has no name for it', () => {
    const quota = refusedWith(constants.errno.EDQUOT);
    assert.equal(errnoText(quota), 'Disk quota exceeded');
    assert.equal(statusOfErrno(errnoOf(quota), ''), '4.2.2');
    assert.equal(errnoOf(refusedWith(constants.errno.ESTALE)), 'ESTALE');
  });

  it('is what the system says', () => {
    assert.throws(
      () => statSync(`${import.meta.filename}.none`),
      (error) => errnoOf(error) === 'ENOENT' && errnoText(error) === 'No such file or directory',
    );
    assert.equal(errnoOf(new Error('a bug')), '');
  });
});
