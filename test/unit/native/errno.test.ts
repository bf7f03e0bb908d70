import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, it } from 'node:test';
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';
import { errnoOf, errnoText, textOfErrno, textOfErrnoNumber } from '../../../src/native/errno.ts';
import { lookupTexts, textOfLookupError } from '../../../src/native/lookup-errors.ts';

/** As Node has it for an error of the system. */
const refusedWith = (errno: number): Error =>
  Object.assign(new Error('refused'), { errno: -errno, code: getSystemErrorName(-errno) });

describe('what a system call fails with', () => {
  it('is told as strerror(3) tells it', () => {
    const strerror = koffi.load('libc.so.6').func('const char *strerror(int errno)');
    const told = Object.entries(constants.errno).filter(([name]) => textOfErrno(name) !== undefined);
    assert.deepEqual(
      told.map(([name]) => [name, textOfErrno(name)]),
      told.map(([name, errno]) => [name, String(strerror(errno))]),
    );
    assert.ok(told.length > 50);
    assert.equal(textOfErrno('ENONSENSE'), undefined);
  });

  it('has its name and text also where Node has no name for it', () => {
    const quota = refusedWith(constants.errno.EDQUOT);
    assert.deepEqual([errnoOf(quota), errnoText(quota)], ['EDQUOT', 'Disk quota exceeded']);
    assert.equal(errnoOf(refusedWith(constants.errno.ESTALE)), 'ESTALE');
  });

  it('is known by its number alone', () => {
    const { EAGAIN, EAFNOSUPPORT } = constants.errno;
    assert.equal(errnoOf(Object.assign(new Error('refused'), { errno: -EAGAIN })), 'EAGAIN');
    assert.equal(textOfErrnoNumber(EAFNOSUPPORT), 'Address family not supported by protocol');
    assert.equal(textOfErrnoNumber(4711), 'errno 4711');
  });

  it('is what the system says', () => {
    assert.throws(
      () => statSync(`${import.meta.filename}.none`),
      (error) => errnoOf(error) === 'ENOENT' && errnoText(error) === 'No such file or directory',
    );
  });

  it('is told as gai_strerror(3) tells it where a name has no address', () => {
    const told = koffi.load('libc.so.6').func('const char *gai_strerror(int error)');
    assert.deepEqual(
      Object.values(lookupTexts),
      [-3, -5, -2, -8].map((number) => String(told(number))),
    );
    assert.deepEqual(
      ['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED'].map((code) => textOfLookupError(code)),
      [lookupTexts.EAI_NONAME, lookupTexts.EAI_AGAIN, undefined],
    );
  });

  it('is no text of a library or a bug, which keep their own', () => {
    assert.deepEqual([errnoOf(new Error('a bug')), errnoText(new Error('a bug'))], ['', 'a bug']);
    const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND', errno: -3008 });
    assert.deepEqual([errnoOf(unknown), errnoText(unknown)], ['ENOTFOUND', 'getaddrinfo ENOTFOUND']);
    assert.deepEqual([errnoOf('thrown'), errnoText('thrown')], ['', 'thrown']);
  });
});
