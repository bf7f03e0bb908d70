import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DnsAnswer, rememberAnswers } from '#dns';

const listed = (ttl: number): DnsAnswer => ({
  kind: 'ok',
  records: [{ type: 'A', name: 'x', ttl, address: '127.0.0.2' }],
  secure: false,
  canonicalName: 'x',
});

describe('answers that are remembered', () => {
  const setUp = (answers: Readonly<Record<string, DnsAnswer>>, maxEntries = 10) => {
    const asked: string[] = [];
    let time = 0;
    const memory = rememberAnswers(
      {
        lookup: (name) => {
          asked.push(name);
          return Promise.resolve(answers[name] ?? { kind: 'tryAgain', reason: 'try again' });
        },
      },
      { now: () => time, maxAgeMs: 60_000, maxEntries },
    );
    return { asked, memory, wait: (ms: number) => void (time += ms) };
  };

  it('are given again until their TTL is over, at most for the time allowed', async () => {
    const { asked, memory, wait } = setUp({
      a: listed(10),
      b: listed(3600),
      none: { kind: 'noName', reason: '', ttl: 5 },
    });
    for (const name of ['a', 'b', 'none', 'A']) await memory.lookup(name, 'A');
    assert.deepEqual(asked.splice(0), ['a', 'b', 'none']);
    wait(5000);
    for (const name of ['a', 'b', 'none']) await memory.lookup(name, 'A');
    assert.deepEqual(asked.splice(0), ['none']);
    wait(5000);
    for (const name of ['a', 'b']) await memory.lookup(name, 'A');
    assert.deepEqual(asked.splice(0), ['a']);
    wait(50_000);
    await memory.lookup('b', 'A');
    assert.deepEqual(asked, ['b']);
  });

  it('are not trouble, nor absence of unknown length, nor those of another type', async () => {
    const { asked, memory } = setUp({ none: { kind: 'noData', reason: '' }, a: listed(10) });
    for (const name of ['none', 'none', 'x', 'x', 'a']) await memory.lookup(name, 'A');
    await memory.lookup('a', 'TXT');
    assert.deepEqual(asked, ['none', 'none', 'x', 'x', 'a', 'a']);
  });

  it('give way to newer ones where room is short', async () => {
    const { asked, memory } = setUp({ a: listed(10), b: listed(10), c: listed(10) }, 2);
    for (const name of ['a', 'b', 'c', 'c', 'b', 'a']) await memory.lookup(name, 'A');
    assert.deepEqual(asked, ['a', 'b', 'c', 'a']);
  });
});
