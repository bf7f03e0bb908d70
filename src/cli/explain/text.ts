/** An explanation for the eye: who asks, each step with its place, then the verdicts. */
import { placesBelow } from './places.ts';
import type { Report, Stage } from './report.ts';
import { StageText } from './step-text.ts';
import { recipientLines } from './verdict-text.ts';

/** Commands that are accepted without a question are not worth a line. */
function isTelling({ steps, log, reply }: Stage): boolean {
  return steps.length > 0 || log.length > 0 || reply === undefined || reply.code >= 400;
}

export function renderText(report: Report): string {
  const { configuration, service, client, helo, sender, stages, recipients, notes } = report;
  const placeOf = placesBelow(configuration);
  const unconfirmed = client.name === 'unknown' ? ' not confirmed' : '';
  const reverse = client.reverseName === client.name ? '' : `, reverse name ${client.reverseName}${unconfirmed}`;
  const login = client.login === '' ? '' : `, logged in as ${client.login}`;
  const tls = client.tls ? ', over TLS' : '';
  const head = [
    `${service.name} (${placeOf(service.origin)}) of ${configuration}`,
    `client=${client.name}[${client.address}]${reverse}${tls}${login} helo=<${helo}>`,
    `from=<${sender}> ${recipients.map(({ recipient }) => `to=<${recipient}>`).join(' ')}`,
    '',
  ];
  const stageText = new StageText(placeOf);
  const lines = stages.filter(isTelling).flatMap((stage) => stageText.render(stage));
  const width = Math.max(0, ...lines.map(({ place }) => place.length)) + 2;
  const told = lines.map(({ place, depth, text }) =>
    (depth === 0 ? text : `${place.padEnd(width)}${'  '.repeat(depth - 1)}${text}`).trimEnd(),
  );
  const verdicts = recipients.flatMap((recipient) => [...recipientLines(recipient, placeOf), '']);
  const ending = notes.map((note) => `note: ${note}`);
  return `${[...head, ...told, ...verdicts, ...ending].join('\n').trimEnd()}\n`;
}
