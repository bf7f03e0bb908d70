import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { systemErrorText } from '../../../src/cli/system-error.ts';

const refusedWith = (errno: number): Error => Object.assign(new Error('write'), { errno: -errno });

describe('what the system says', () => {
  it('is told in the words of strerror', () => {
    const { ENOENT, EACCES, ENOTDIR, EROFS, ENOSPC, EDQUOT, EFBIG } = constants.errno;
    assert.deepEqual(
      [ENOENT, EACCES, ENOTDIR, EROFS, ENOSPC, EDQUOT, EFBIG].map((errno) => systemErrorText(refusedWith(errno))),
      [
        'No such file or directory',
        'Permission denied',
        'Not a directory',
        'Read-only file system',
        'No space left on device',
        'Disk quota exceeded',
        'File too large',
      ],
    );
  });

  it('is told of a directory in the place of a file, too', () => {
    assert.throws(
      () => readFileSync('/'),
      (error) => systemErrorText(error) === 'Is a directory',
    );
  });

  it('is nothing where a bug throws', () => {
    assert.throws(() => systemErrorText(new TypeError('no function')), TypeError);
  });
});
