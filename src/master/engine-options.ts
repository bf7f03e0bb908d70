/** How the JavaScript engine and the allocator of the processes that handle mail are set. */

/**
 * A message's objects live as long as the message is on its way: with room for some thousand of them in the young
 * generation few are copied. Threads for the collector would only compete with the writer and the clients.
 * `--heap-growing-percent`: what the few messages that outlive that leave behind would have the small old generation
 * collected twice a second, a tenth of all work.
 * `--v8-pool-size`: threads that compile; each takes a megabyte. `--invocation-count-for-turbofan`: what every message
 * goes through is compiled for good after some hundred messages, not three thousand: a quarter less CPU for the first ten thousand.
 */
export const mailEngineOptions = [
  '--max-semi-space-size=16',
  '--single-threaded-gc',
  '--heap-growing-percent=300',
  '--v8-pool-size=2',
  '--invocation-count-for-turbofan=400',
];

/** The supervisor has little to do once all are started: it keeps no room for a young generation of that time. */
export const masterEngineOptions = ['--max-semi-space-size=1', '--single-threaded-gc', '--v8-pool-size=1'];

export const delivererEngineOptions = ['--max-semi-space-size=2', '--single-threaded-gc', '--v8-pool-size=1'];

/** mallopt(3): large blocks go back to the system at once, also after the allocator has seen many of them. */
export const allocatorEnvironment = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '1048576' };
