/** The longest time that a timer takes, 24 days: one that is set for longer runs out at once. */
export const longestTimerMs = 2 ** 31 - 1;
