/** Runs expectations against a configuration, and tells which do not hold. */
import type { RecipientReport, Report } from './report.ts';
import { type Expectation, expectedText, holds } from './expectations.ts';
import { placesBelow } from './places.ts';
import { replyLines } from './lookup-text.ts';
import { decisionText } from './verdict-text.ts';

/** What `--test --json` prints of one expectation. */
export interface CheckedExpectation {
  readonly line: number;
  readonly text: string;
  readonly holds: boolean;
  readonly recipients: readonly CheckedRecipient[];
}

interface CheckedRecipient extends RecipientReport {
  readonly holds: boolean;
}

export function checkExpectation({ line, text, expected }: Expectation, report: Report): CheckedExpectation {
  const recipients = report.recipients.map((recipient) => ({ ...recipient, holds: holds(expected, recipient) }));
  return { line, text, holds: recipients.every((recipient) => recipient.holds), recipients };
}

/** What was expected, what came instead, and which step decided it; '' when it holds. */
export function differenceText(
  file: string,
  expectation: Expectation,
  { recipients }: CheckedExpectation,
  directory: string,
): string {
  const placeOf = placesBelow(directory);
  return recipients
    .filter((recipient) => !recipient.holds)
    .map(({ recipient, verdict, reply, decidedBy }) => {
      const got = [verdict, reply?.code, reply?.dsn].filter((word) => word !== undefined && word !== '').join(' ');
      const lines = [
        `${file}:${expectation.line}: <${recipient}>`,
        `  expected  ${expectedText(expectation.expected)}`,
        `  got       ${got}`,
      ];
      if (reply !== undefined && verdict !== 'accept')
        lines.push(...replyLines(reply).map((text) => `            ${text}`));
      const stage = decidedBy === undefined ? '' : ` at ${decidedBy.stage}`;
      lines.push(`  decided   by ${decisionText(decidedBy, placeOf)}${stage}`);
      return `${lines.join('\n')}\n`;
    })
    .join('');
}

export function summaryText(checked: readonly CheckedExpectation[]): string {
  const failed = checked.filter((one) => !one.holds).length;
  const count = `${checked.length} expectation${checked.length === 1 ? '' : 's'}`;
  return failed === 0 ? `${count}, all hold\n` : `${count}, ${failed} ${failed === 1 ? 'does' : 'do'} not hold\n`;
}
