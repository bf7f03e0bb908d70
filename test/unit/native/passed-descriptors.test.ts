import assert from 'node:assert/strict';
import { closeSync, readFileSync, readlinkSync } from 'node:fs';
import { describe, it } from 'node:test';
import { openPipe, openSocketPair, passDescriptor, takeDescriptor } from '#native';

describe('an open file that is handed on', () => {
  it('comes out at the other end, in turn, and is not inherited', () => {
    const sockets = openSocketPair('messages');
    const pipe = openPipe();
    assert.ok(sockets !== undefined && pipe !== undefined);
    const nameOf = (fd: number): string => readlinkSync(`/proc/self/fd/${fd}`);
    assert.equal(takeDescriptor(sockets.theirs), undefined);
    assert.ok(passDescriptor(sockets.ours, pipe.readEnd));
    assert.ok(passDescriptor(sockets.ours, 2));
    const first = takeDescriptor(sockets.theirs);
    const second = takeDescriptor(sockets.theirs);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual([nameOf(first), nameOf(second)], [nameOf(pipe.readEnd), nameOf(2)]);
    assert.match(readFileSync(`/proc/self/fdinfo/${first}`, 'utf8'), /^flags:\t02/m);
    assert.equal(takeDescriptor(sockets.theirs), undefined);
    for (const fd of [first, second, sockets.theirs, pipe.readEnd, pipe.writeEnd]) closeSync(fd);
    assert.equal(passDescriptor(sockets.ours, 2), false);
    closeSync(sockets.ours);
  });

  it('is refused once nobody takes them, and nothing waits', () => {
    const sockets = openSocketPair('messages');
    assert.ok(sockets !== undefined);
    let passed = 0;
    while (passed < 100_000 && passDescriptor(sockets.ours, 2)) passed += 1;
    assert.ok(passed > 10 && passed < 100_000);
    closeSync(sockets.ours);
    closeSync(sockets.theirs);
  });
});
