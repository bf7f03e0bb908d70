/** Which step made the verdict. */
import type { RecordedStage } from './recorder.ts';
import type { DecidedBy, NamedRestriction, RestrictionStep, Step, Verdict } from './report.ts';

interface Found {
  readonly stage: string;
  readonly parameter: string;
  readonly step: RestrictionStep;
  /** What led to it, outermost first. */
  readonly through: readonly RestrictionStep[];
}

/** Restrictions in the order they were asked; those of a class after the class. */
function restrictionsOf(
  stage: string,
  steps: readonly Step[],
  parameter = '',
  through: readonly RestrictionStep[] = [],
): readonly Found[] {
  return steps.flatMap((step) => {
    switch (step.kind) {
      case 'list':
        return restrictionsOf(stage, step.steps, step.parameter);
      case 'restriction':
        return [
          { stage, parameter, step, through },
          ...restrictionsOf(stage, step.steps, parameter, [...through, step]),
        ];
      case 'remark':
      case 'lookup':
        return [];
    }
  });
}

/** The step that made the verdict of what was settled at a stage; undefined when no restriction did. */
export function decisionOf(stages: readonly RecordedStage[], at: number, verdict: Verdict): DecidedBy | undefined {
  const found = decisiveStep(stages, at, verdict);
  if (found === undefined) return undefined;
  const { stage, parameter, step, through } = found;
  return { stage, parameter, ...named(step), through: through.map(named) };
}

function named({ name, argument, origin }: RestrictionStep): NamedRestriction {
  return { restriction: argument === '' ? name : `${name} ${argument}`, origin };
}

function decisiveStep(stages: readonly RecordedStage[], at: number, verdict: Verdict): Found | undefined {
  const foundIn = (which: readonly RecordedStage[]): readonly Found[] =>
    which.flatMap(({ command, steps }) => restrictionsOf(command, steps));
  const here = foundIn(stages.slice(at, at + 1));
  switch (verdict) {
    case 'accept':
      return here.findLast(({ step }) => step.effect === 'permits');
    case 'hold':
    case 'discard':
      // whichever recipient it was asked for, it is the fate of the whole message
      return foundIn(stages).find(({ step }) => step.actions.includes(verdict));
    case 'reject':
    case 'defer':
    case 'hangup': {
      // what one recipient's restrictions put off is never said to another
      const before = foundIn(stages.slice(0, at).filter(({ command }) => !command.startsWith('RCPT ')));
      return (
        here.findLast(({ step }) => step.effect === 'refuses' || step.effect === 'refuses for now') ??
        [...here, ...before].find(({ step }) => step.effect === 'put off')
      );
    }
  }
}
