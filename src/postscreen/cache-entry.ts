/**
 * What postscreen_cache_map holds of a client: for each test when its result expires, `a;b;c;d;e`, in seconds since the
 * epoch. 0: never passed; 1: never passed, and switched off at the time. postscreen(8), "cache controls"
 */

/** In the order of the fields. The first two take place before the greeting, the others after it. */
export const testNames = ['pregreet', 'dnsbl', 'pipelining', 'nonSmtpCommand', 'bareNewline'] as const;
export type Test = (typeof testNames)[number];
export const deepTests = ['pipelining', 'nonSmtpCommand', 'bareNewline'] as const;
export type DeepTest = (typeof deepTests)[number];

export type CacheEntry = Readonly<Record<Test, number>>;

const neverPassed = 0;
const switchedOff = 1;

export const newClient: CacheEntry = {
  pregreet: neverPassed,
  dnsbl: neverPassed,
  pipelining: neverPassed,
  nonSmtpCommand: neverPassed,
  bareNewline: neverPassed,
};

/** Fields that are missing or no number count as tests that were switched off: an older version wrote fewer. */
export function parseCacheEntry(text: string): CacheEntry {
  const fields = text.split(';');
  const stamp = (at: number): number => (/^\d{1,15}$/.test(fields[at] ?? '') ? Number(fields[at]) : switchedOff);
  return {
    pregreet: stamp(0),
    dnsbl: stamp(1),
    pipelining: stamp(2),
    nonSmtpCommand: stamp(3),
    bareNewline: stamp(4),
  };
}

/** Tests that never took place because they are off are told from those that were not passed. */
export function formatCacheEntry(entry: CacheEntry, enabled: ReadonlySet<Test>): string {
  return testNames
    .map((test) => (entry[test] === neverPassed && !enabled.has(test) ? switchedOff : entry[test]))
    .join(';');
}

/** What two entries know of a client together. */
export function joinedEntry(one: CacheEntry | undefined, other: CacheEntry | undefined): CacheEntry | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const later = (test: Test): number => Math.max(one[test], other[test]);
  return {
    pregreet: later('pregreet'),
    dnsbl: later('dnsbl'),
    pipelining: later('pipelining'),
    nonSmtpCommand: later('nonSmtpCommand'),
    bareNewline: later('bareNewline'),
  };
}

/** The tests whose result has expired at a time. */
export function testsDue(entry: CacheEntry, enabled: ReadonlySet<Test>, nowSeconds: number): ReadonlySet<Test> {
  return new Set(testNames.filter((test) => enabled.has(test) && entry[test] <= nowSeconds));
}

/** Whether cleanup keeps an entry: no result of it has expired for too long. postscreen_cache_retention_time */
export function isWorthKeeping(
  text: string,
  enabled: ReadonlySet<Test>,
  { nowSeconds, retentionSeconds }: { readonly nowSeconds: number; readonly retentionSeconds: number },
): boolean {
  return testsDue(parseCacheEntry(text), enabled, nowSeconds - retentionSeconds).size === 0;
}
