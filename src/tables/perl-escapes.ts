/** What backslashes and classes mean to Perl, as JavaScript writes it for bytes. pcre2pattern(3) */

/** Characters of a POSIX class, for use between `[` and `]`. */
export const posixClasses: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: String.raw`\t-\r `,
  blank: String.raw` \t`,
  punct: String.raw`!-\/:-@\[-` + '`{-~',
  print: String.raw`\x20-\x7e`,
  graph: String.raw`\x21-\x7e`,
  cntrl: String.raw`\x00-\x1f\x7f`,
  xdigit: '0-9A-Fa-f',
  word: String.raw`\w`,
  ascii: String.raw`\x00-\x7f`,
};

const space = String.raw`\t-\r `;
export const outsideEscapes: Readonly<Record<string, string>> = {
  A: '(?<![^])',
  z: '(?![^])',
  Z: String.raw`(?=\n?(?![^]))`,
  G: '(?<![^])',
  h: String.raw`[ \t\xa0]`,
  H: String.raw`[^ \t\xa0]`,
  v: String.raw`[\n-\r\x85]`,
  V: String.raw`[^\n-\r\x85]`,
  N: String.raw`[^\n]`,
  s: `[${space}]`,
  S: `[^${space}]`,
  a: String.raw`\x07`,
  e: String.raw`\x1b`,
};
export const classEscapes: Readonly<Record<string, string>> = {
  h: String.raw` \t\xa0`,
  v: String.raw`\n-\r\x85`,
  s: space,
  a: String.raw`\x07`,
  e: String.raw`\x1b`,
};
