/** The steps of a stage for the eye: the place of each on the left, as grep prints it. */
import { lookupLines, replyLines } from './lookup-text.ts';
import type { PlaceOf } from './places.ts';
import type { ListStep, Lookup, RestrictionStep, Stage, Step } from './report.ts';

export interface Line {
  readonly place: string;
  readonly depth: number;
  readonly text: string;
}

const answers: Readonly<Record<RestrictionStep['effect'], string>> = {
  next: 'dunno',
  permits: 'permit',
  refuses: 'reject',
  warns: 'would reject, is only logged (warn_if_reject)',
  'put off': 'defer_if_permit, said if nothing else refuses',
  'already put off': 'defer_if_permit, but an earlier one is said',
  remembered: 'defer_if_reject, makes a refusal one for now',
  'refuses for now': 'reject, but for now (defer_if_reject)',
  list: 'goes on with',
};

const restrictionDepth = 2;

function stepLines(step: Step, depth: number, placeOf: PlaceOf): readonly Line[] {
  switch (step.kind) {
    case 'list':
      return [listLine(step, placeOf), ...listBody(step, placeOf)];
    case 'restriction':
      return restrictionLines(step, depth, placeOf);
    case 'remark':
      return [{ place: '', depth, text: `(${step.text})` }];
    case 'lookup':
      return lookupLines([step.lookup]).map((text) => ({ place: '', depth, text }));
  }
}

const listLine = ({ parameter, origin }: ListStep, placeOf: PlaceOf): Line => ({
  place: placeOf(origin) || '(default)',
  depth: 1,
  text: parameter,
});

function listBody({ steps }: ListStep, placeOf: PlaceOf): readonly Line[] {
  return steps.flatMap((step) => stepLines(step, restrictionDepth, placeOf));
}

/** Where an address leads is of interest to those who ask for it; access tables only need it to be routed. */
function isTelling({ asker, found, answer }: Lookup, { argument }: RestrictionStep): boolean {
  return asker === 'smtpd' || argument === '' || (!found && answer !== '');
}

function restrictionLines(step: RestrictionStep, depth: number, placeOf: PlaceOf): readonly Line[] {
  const { name, argument, warnOnly, effect, answer, avoided, lookups, reply, log, steps, origin } = step;
  const said = answer === 'abandon' ? 'hangs up' : answers[effect];
  const outcome = avoided === undefined ? said : `left out: ${avoided}`;
  const words = [warnOnly ? 'warn_if_reject' : '', name, argument].filter((word) => word !== '').join(' ');
  const detail = (text: string): Line => ({ place: '', depth: depth + 2, text });
  const told = lookups.filter((lookup) => isTelling(lookup, step));
  return [
    { place: placeOf(origin), depth, text: `${words}  ->  ${outcome}` },
    ...lookupLines(told, argument).map(detail),
    ...(reply === undefined || avoided !== undefined ? [] : [detail(reply)]),
    ...log.filter((text) => reply === undefined || !text.includes(reply)).map((text) => detail(`log: ${text}`)),
    ...steps.flatMap((inner) => stepLines(inner, depth + 1, placeOf)),
  ];
}

/** Renders stages one after the other; a list that said what it said before is not told again. */
export class StageText {
  readonly #placeOf: PlaceOf;
  readonly #told = new Map<string, string>();

  constructor(placeOf: PlaceOf) {
    this.#placeOf = placeOf;
  }

  render({ command, steps, log, reply }: Stage): readonly Line[] {
    const replies = reply === undefined ? ['(the server hangs up)'] : replyLines(reply);
    // what EHLO announces decides nothing
    const shown = reply !== undefined && reply.code < 400 ? [`${reply.code} ${reply.lines[0] ?? ''}`] : replies;
    const isSaid = (text: string): boolean => replies.some((line) => text.includes(line));
    return [
      { place: '', depth: 0, text: command },
      ...steps.flatMap((step) =>
        step.kind === 'list' ? this.#list(step, command) : stepLines(step, 1, this.#placeOf),
      ),
      ...log.filter((text) => !isSaid(text)).map((text) => ({ place: '', depth: 1, text: `log: ${text}` })),
      ...shown.map((text) => ({ place: '', depth: 0, text })),
      { place: '', depth: 0, text: '' },
    ];
  }

  #list(step: ListStep, command: string): readonly Line[] {
    const title = listLine(step, this.#placeOf);
    const body = listBody(step, this.#placeOf);
    const key = JSON.stringify([step.parameter, body]);
    const before = this.#told.get(key);
    if (before !== undefined) return [{ ...title, text: `${title.text}  ->  as for ${before}` }];
    this.#told.set(key, command);
    return [title, ...body];
  }
}
