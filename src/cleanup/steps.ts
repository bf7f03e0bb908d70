/**
 * Work in order that waits only where it must: a generator that yields the promises it needs, run without any promise
 * as long as every answer comes from memory (ARCHITECTURE.md, "Rules that hold everywhere").
 */
import type { MaybePromise } from '#message';

export type Steps<T> = Generator<Promise<unknown>, T, void>;

/** The value, waited for when it is not there yet: `const found = yield* ready(table.lookup(key))`. */
export function* ready<T>(value: MaybePromise<T>): Steps<T> {
  if (!(value instanceof Promise)) return value;
  const answers: { readonly value: T }[] = [];
  yield value.then((answer) => answers.push({ value: answer }));
  const [answer] = answers;
  if (answer === undefined) throw new Error('steps went on before their answer was there');
  return answer.value;
}

/** Runs the steps to their end; a promise only if one of them had to wait. */
export function run<T>(steps: Steps<T>): MaybePromise<T> {
  const first = steps.next();
  return first.done === true ? first.value : runAfter(first.value, steps);
}

async function runAfter<T>(first: Promise<unknown>, steps: Steps<T>): Promise<T> {
  let wait = first;
  for (;;) {
    const next = await wait.then(
      () => steps.next(),
      (error: unknown) => steps.throw(error),
    );
    if (next.done === true) return next.value;
    wait = next.value;
  }
}
