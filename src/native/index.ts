/** The few C library calls that Node lacks, through koffi. */
export { type ListenerResult, openListener } from './listeners.ts';
