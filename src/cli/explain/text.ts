/** An explanation for the eye: places on the left as grep prints them, then each step below what it belongs to. */
import { type PlaceOf, placesBelow } from './places.ts';
import type { Lookup, RecipientReport, ReplyReport, Report, RestrictionStep, Stage, Step } from './report.ts';

interface Line {
  readonly place: string;
  readonly depth: number;
  readonly text: string;
}

const answers: Readonly<Record<RestrictionStep['effect'], string>> = {
  next: 'dunno',
  permits: 'permit',
  refuses: 'reject',
  warns: 'would reject; only logged, because of warn_if_reject',
  'put off': 'defer_if_permit: said if nothing else refuses',
  'already put off': 'defer_if_permit; an earlier one is said',
  remembered: 'defer_if_reject: a refusal for good will be one for now',
  'refuses for now': 'reject, but only for now because of defer_if_reject',
  list: 'goes on with',
};

/** `550 5.1.1 text`; further lines below one another. */
export function replyLines({ code, lines }: ReplyReport): readonly string[] {
  return lines.map((line, i) => `${code}${i < lines.length - 1 ? '-' : ' '}${line}`);
}

/** Lookups, those of one table that found nothing on one line. */
export function lookupLines(lookups: readonly Lookup[]): readonly string[] {
  const out: string[] = [];
  let missed: { readonly where: string; readonly keys: string[] } | undefined;
  const flush = (): void => {
    if (missed !== undefined) out.push(`${missed.where}: ${missed.keys.join(', ')}: nothing`);
    missed = undefined;
  };
  for (const { kind, where, key, found, answer } of lookups) {
    if (kind === 'table' && !found && answer === '') {
      if (missed?.where !== where) {
        flush();
        missed = { where, keys: [] };
      }
      missed?.keys.push(key);
      continue;
    }
    flush();
    if (kind === 'list')
      out.push(`${where}: ${key}: ${found ? `in the list, by ${answer}` : answer || 'not in the list'}`);
    else if (kind === 'table') out.push(`${where}: ${key}: ${found ? answer : `failed: ${answer}`}`);
    else out.push(`${kind === 'dns' ? `DNS ${where}` : 'host'} ${key}: ${answer}`);
  }
  flush();
  return out;
}

function stepLines(step: Step, depth: number, placeOf: PlaceOf): readonly Line[] {
  switch (step.kind) {
    case 'list':
      return [
        { place: placeOf(step.origin) || '(default)', depth, text: step.parameter },
        ...step.steps.flatMap((inner) => stepLines(inner, depth + 1, placeOf)),
      ];
    case 'restriction':
      return restrictionLines(step, depth, placeOf);
    case 'remark':
      return [{ place: '', depth, text: `(${step.text})` }];
    case 'lookup':
      return lookupLines([step.lookup]).map((text) => ({ place: '', depth, text }));
  }
}

function restrictionLines(step: RestrictionStep, depth: number, placeOf: PlaceOf): readonly Line[] {
  const { name, argument, warnOnly, effect, answer, avoided, lookups, reply, log, steps, origin } = step;
  const said = answer === 'abandon' ? 'hangs up' : answers[effect];
  const outcome = avoided === undefined ? said : `left out: ${avoided}`;
  const words = [warnOnly ? 'warn_if_reject' : '', name, argument].filter((word) => word !== '').join(' ');
  const detail = (text: string): Line => ({ place: '', depth: depth + 2, text });
  return [
    { place: placeOf(origin), depth, text: `${words}  ->  ${outcome}` },
    ...lookupLines(lookups).map(detail),
    ...(reply === undefined || avoided !== undefined ? [] : [detail(reply)]),
    ...log.map((text) => detail(`log: ${text}`)),
    ...steps.flatMap((inner) => stepLines(inner, depth + 1, placeOf)),
  ];
}

function stageLines({ command, steps, log, reply }: Stage, placeOf: PlaceOf): readonly Line[] {
  const replies = reply === undefined ? ['(the server hangs up)'] : replyLines(reply);
  // the keywords of EHLO are not about what is decided
  const shown = reply !== undefined && reply.code < 400 ? replies.slice(0, 1) : replies;
  return [
    { place: '', depth: 0, text: command },
    ...steps.flatMap((step) => stepLines(step, 1, placeOf)),
    ...log.map((text) => ({ place: '', depth: 1, text: `log: ${text}` })),
    ...shown.map((text) => ({ place: '', depth: 0, text: text.replace(/^(\d{3})-/, '$1 ') })),
    { place: '', depth: 0, text: '' },
  ];
}

const verdicts: Readonly<Record<RecipientReport['verdict'], string>> = {
  accept: 'accepted',
  reject: 'rejected',
  defer: 'rejected for now',
  discard: 'accepted and thrown away',
  hold: 'accepted and held',
  hangup: 'not answered: the server hangs up',
};

function recipientLines({ recipient, verdict, reply, decidedBy, way }: RecipientReport, placeOf: PlaceOf): string[] {
  const out = [`<${recipient}>  ${verdicts[verdict].toUpperCase()}`];
  for (const text of reply === undefined ? [] : replyLines(reply)) out.push(`  ${text}`);
  if (decidedBy !== undefined) {
    const { restriction, parameter, origin } = decidedBy;
    const place = placeOf(origin);
    out.push(`  by ${restriction} in ${parameter}${place === '' ? '' : `, ${place}`}`);
  } else if (verdict === 'accept') out.push('  because no restriction refused it');
  if (way === undefined) return out;
  for (const text of lookupLines(way.lookups)) out.push(`    ${text}`);
  for (const text of way.warnings) out.push(`    warning: ${text}`);
  if (way.refusal !== undefined) out.push(`  cleanup refuses it: ${way.refusal}`);
  for (const {
    recipient: address,
    isCopy,
    transport,
    nexthop,
    addressClass,
    entry,
    isFilter,
    reason,
    outcome,
  } of way.deliveries) {
    const kind = isFilter === true ? 'content filter' : (addressClass ?? '');
    const whom = `${isCopy ? 'copy for' : 'goes to'} <${address}>${kind === '' ? '' : ` (${kind})`}`;
    if (transport === undefined) out.push(`  ${whom}: ${outcome ?? ''}: ${reason ?? ''}`);
    else {
      const where = entry === null ? 'master.cf has no such service' : placeOf(entry);
      out.push(`  ${whom} by ${transport}:${nexthop ?? ''}, ${where}`);
    }
  }
  return out;
}

export function renderText(report: Report): string {
  const { configuration, service, client, sender, stages, recipients, notes } = report;
  const placeOf = placesBelow(configuration);
  const unconfirmed = client.reverseName === client.name ? '' : ` (reverse name ${client.reverseName}, not confirmed)`;
  const head = [
    `${configuration}, service ${service.name} (${placeOf(service.origin)})`,
    `client ${client.name}[${client.address}]${unconfirmed}${client.login === '' ? '' : `, logged in as ${client.login}`}`,
    `mail from <${sender}> to ${recipients.map(({ recipient }) => `<${recipient}>`).join(', ')}`,
  ];
  const lines = stages.flatMap((stage) => {
    const isSilent = stage.steps.length === 0 && stage.log.length === 0;
    const isAccepted = stage.reply !== undefined && stage.reply.code < 400;
    return isSilent && isAccepted ? [] : stageLines(stage, placeOf);
  });
  const width = Math.max(0, ...lines.map(({ place }) => place.length));
  const told = lines.map(({ place, depth, text }) => `${place.padEnd(width)}  ${'  '.repeat(depth)}${text}`.trimEnd());
  const verdictLines = recipients.flatMap((recipient) => [...recipientLines(recipient, placeOf), '']);
  return [...head, '', ...told, ...verdictLines, ...notes.map((note) => `note: ${note}`)].join('\n').trimEnd() + '\n';
}
