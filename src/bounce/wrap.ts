/** Text for notices: no control characters, lines of at most 79 characters. */

const LINE_LENGTH = 79;
const INDENT = '    ';

/** Words over lines without blanks at their ends; those behind the first are indented. A word that is too long stays whole. */
export function wrapText(text: string, lineLength = LINE_LENGTH): string {
  const lines: string[] = [];
  let line = '';
  // oxlint-disable-next-line no-control-regex -- what must not be in a notice
  for (const word of text.replace(/[\x00-\x1f\x7f]/g, '?').split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    const room = lines.length === 0 ? lineLength : lineLength - INDENT.length;
    if (line !== '' && longer.length > room) {
      lines.push(trimmed(line));
      line = word;
    } else {
      line = longer;
    }
  }
  // a line of blanks would end what a reader takes for the field
  if (lines.length === 0 || trimmed(line) !== '') lines.push(trimmed(line));
  return lines.join(`\r\n${INDENT}`);
}

function trimmed(line: string): string {
  return line.replace(/ +$/, '');
}
