/** Rules of one kind that follow each other, replaced by fewer that say the same. */
import type { Rule } from './rule-files.ts';

/**
 * The rules, in all blocks, with runs of those that `known` holds replaced by what `join` makes of them. The order of
 * answers stays: a rule of another kind ends a run.
 */
export function joinRuns<S, K>(
  rules: readonly Rule<S>[],
  known: ReadonlyMap<Rule<S>, K>,
  join: (run: readonly (readonly [rule: Rule<S>, known: K])[]) => readonly Rule<S>[],
): readonly Rule<S>[] {
  const out: Rule<S>[] = [];
  let run: (readonly [Rule<S>, K])[] = [];
  const endRun = (): void => {
    if (run.length > 0) out.push(...join(run));
    run = [];
  };
  for (const rule of rules) {
    const about = known.get(rule);
    if (about !== undefined) {
      run.push([rule, about]);
      continue;
    }
    endRun();
    out.push(rule.kind === 'block' ? { ...rule, rules: joinRuns(rule.rules, known, join) } : rule);
  }
  endRun();
  return out;
}
