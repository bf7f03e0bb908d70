/** What commands exit with, for whoever called them. sysexits(3) */
export const EX_OK = 0;
export const EX_USAGE = 64;
/** A file that was named can't be read. */
export const EX_NOINPUT = 66;
/** The mail system is down, or does not answer. */
export const EX_UNAVAILABLE = 69;
/** Whoever called should try again. */
export const EX_TEMPFAIL = 75;
/** The configuration can't be used. */
export const EX_CONFIG = 78;
