import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatCacheEntry, parseCacheEntry, type Test, testNames, testsDue } from '../../src/postscreen/cache-entry.ts';
import { looseAddress } from '../../src/postscreen/loose-address.ts';
import { TestResults } from '../../src/postscreen/test-results.ts';

const stamp = fc.integer({ min: 2, max: 4_000_000_000 });
const entries = fc.record({
  pregreet: stamp,
  dnsbl: stamp,
  pipelining: stamp,
  nonSmtpCommand: stamp,
  bareNewline: stamp,
});
const enabledTests = fc.subarray([...testNames]).map((names) => new Set<Test>(names));

describe('what postscreen remembers', () => {
  it('reads what it has written', () => {
    fc.assert(
      fc.property(entries, enabledTests, (entry, enabled) => {
        assert.deepEqual(parseCacheEntry(formatCacheEntry(entry, enabled)), { ...entry });
      }),
    );
  });

  it('makes something of any text', () => {
    fc.assert(
      fc.property(fc.string(), enabledTests, stamp, (text, enabled, now) => {
        for (const test of testsDue(parseCacheEntry(text), enabled, now)) assert.ok(enabled.has(test));
      }),
    );
  });

  it('is complete once every test that is due was passed, in any order', () => {
    fc.assert(
      fc.property(
        entries,
        enabledTests,
        stamp,
        fc.shuffledSubarray([...testNames], { minLength: 5 }),
        (cached, enabled, nowSeconds, order) => {
          const results = new TestResults({ cached, enabled, nowSeconds });
          const due = testNames.filter((test) => results.isDue(test));
          for (const test of order) results.pass(test, nowSeconds + 60);
          assert.equal(results.isComplete, true);
          for (const test of testNames) {
            const expected = due.includes(test) ? nowSeconds + 60 : cached[test];
            assert.equal(results.news?.[test] ?? cached[test], expected);
          }
        },
      ),
    );
  });
});

describe('addresses for the log', () => {
  it('come of any argument', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', '\\', '@', ':', ',', ' ', 'a', '.') }), (text) => {
        assert.equal(typeof looseAddress(`FROM:${text}`, 'FROM'), 'string');
      }),
    );
  });
});
