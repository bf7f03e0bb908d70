/** What became of a recipient, and where its mail goes, for the eye. */
import { lookupLines, replyLines } from './lookup-text.ts';
import type { PlaceOf } from './places.ts';
import type { DecidedBy, DeliveryReport, NamedRestriction, RecipientReport } from './report.ts';

const verdicts: Readonly<Record<RecipientReport['verdict'], string>> = {
  accept: 'accepted',
  reject: 'rejected',
  defer: 'rejected for now',
  discard: 'accepted and thrown away',
  hold: 'accepted and held',
  hangup: 'not answered: the server hangs up',
};

/** `reject_unauth_destination (main.cf:12), by way of guests (main.cf:9), in smtpd_relay_restrictions` */
export function decisionText(decidedBy: DecidedBy | undefined, placeOf: PlaceOf): string {
  if (decidedBy === undefined) return 'no restriction';
  const { parameter, through } = decidedBy;
  const ways = through.map((step) => `, by way of ${placed(step, placeOf)}`);
  return `${placed(decidedBy, placeOf)}${ways.join('')}${ways.length > 0 ? ',' : ''} in ${parameter}`;
}

function placed({ restriction, origin }: NamedRestriction, placeOf: PlaceOf): string {
  const place = placeOf(origin);
  return place === '' ? restriction : `${restriction} (${place})`;
}

export function recipientLines(report: RecipientReport, placeOf: PlaceOf): readonly string[] {
  const { recipient, verdict, reply, decidedBy, way } = report;
  return [
    `<${recipient}> is ${verdicts[verdict]}`,
    ...(reply === undefined ? [] : replyLines(reply).map((text) => `  ${text}`)),
    `  decided by ${decisionText(decidedBy, placeOf)}`,
    ...(way === undefined ? [] : lookupLines(way.lookups).map((text) => `      ${text}`)),
    ...(way === undefined ? [] : way.warnings.map((text) => `      warning: ${text}`)),
    ...(way?.refusal === undefined ? [] : [`  but cleanup refuses it: ${way.refusal}`]),
    ...(way === undefined ? [] : way.deliveries.map((delivery) => `  ${deliveryText(delivery, placeOf)}`)),
  ];
}

function deliveryText(delivery: DeliveryReport, placeOf: PlaceOf): string {
  const { recipient, isCopy, addressClass = '', transport, nexthop = '', entry, isFilter, outcome, reason } = delivery;
  const kind = isFilter === true ? 'content filter' : addressClass;
  const whom = `${isCopy ? 'a copy goes' : 'goes'} to <${recipient}>${kind === '' ? '' : `, ${kind}`}`;
  if (transport === undefined) return `${whom}: ${outcome ?? ''}: ${reason ?? ''}`;
  const where = entry === null ? 'master.cf has no such service' : placeOf(entry);
  return `${whom}, by ${transport}:${nexthop} (${where})`;
}
