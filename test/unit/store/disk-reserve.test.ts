import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withRoomFor } from '../../../src/store/sqlite/disk-reserve.ts';

/** Fails with a code of SQLite until the reserve has given way. */
function opening(errcode: number): { readonly open: () => string; readonly release: () => void } {
  let isFull = true;
  return {
    open: () => {
      if (isFull) throw Object.assign(new Error('no'), { errcode });
      return 'opened';
    },
    release: () => {
      isFull = false;
    },
  };
}

describe('the reserve of disk space', () => {
  it('gives way for the files beside the database, so that a queue on a full disk is opened', () => {
    const [full, noIndex] = [13, 4874];
    for (const errcode of [full, noIndex]) {
      const { open, release } = opening(errcode);
      assert.equal(withRoomFor(open, { release }), 'opened');
    }
  });

  it('stays where something else is wrong', () => {
    const [failed, damaged] = [10, 11];
    for (const errcode of [failed, damaged]) {
      const { open, release } = opening(errcode);
      assert.throws(() => withRoomFor(open, { release }), /no/);
      assert.throws(open);
    }
  });
});
