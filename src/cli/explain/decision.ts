/** Which step made the verdict. */
import type { RecordedStage } from './recorder.ts';
import type { DecidedBy, RestrictionStep, Step } from './report.ts';

type Found = readonly [parameter: string, step: RestrictionStep];

/** Restrictions in the order they answered, each with the parameter its list belongs to; of a class the innermost last. */
function restrictionsOf(steps: readonly Step[], parameter = ''): readonly Found[] {
  return steps.flatMap((step) => {
    switch (step.kind) {
      case 'list':
        return restrictionsOf(step.steps, step.parameter);
      case 'restriction':
        return [[parameter, step] as const, ...restrictionsOf(step.steps, parameter)];
      case 'remark':
      case 'lookup':
        return [];
    }
  });
}

/** The step that settled it at a stage; undefined when no restriction did. */
export function decisionOf(stages: readonly RecordedStage[], at: number, isRefusal: boolean): DecidedBy | undefined {
  const stage = stages[at];
  if (stage === undefined) return undefined;
  const found = restrictionsOf(stage.steps);
  const decisive = isRefusal
    ? (found.findLast(([, { effect }]) => effect === 'refuses' || effect === 'refuses for now') ??
      stages
        .slice(0, at + 1)
        .flatMap(({ steps }) => restrictionsOf(steps))
        .find(([, { effect }]) => effect === 'put off'))
    : found.findLast(([, { effect }]) => effect === 'permits');
  if (decisive === undefined) return undefined;
  const [parameter, { name, argument, origin }] = decisive;
  return { stage: stage.command, parameter, restriction: argument === '' ? name : `${name} ${argument}`, origin };
}
