/**
 * Small shared shapes: a value that may come now or later.
 *
 * The hot path answers from memory without a promise (ARCHITECTURE.md, "Rules that hold everywhere"), so what
 * may need a disk or a network returns `MaybePromise` and callers await only when they must.
 */

/** A value that is there already, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** Applies `next` to a value that may come later; stays synchronous when the value is there. */
export function whenReady<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
