/** Text for notices: no control characters, lines of at most 79 characters. */

const LINE_LENGTH = 79;
const INDENT = '    ';

/** Words over lines; those behind the first are indented. A word that is too long stays whole. */
export function wrapText(text: string, lineLength = LINE_LENGTH): string {
  const lines: string[] = [];
  let line = '';
  // oxlint-disable-next-line no-control-regex -- what must not be in a notice
  for (const word of text.replace(/[\x00-\x1f\x7f]/g, '?').split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    const room = lines.length === 0 ? lineLength : lineLength - INDENT.length;
    if (line !== '' && longer.length > room) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  lines.push(line);
  return lines.join(`\r\n${INDENT}`);
}
