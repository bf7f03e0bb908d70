/** The table that qshape prints: domains to the left, age groups to the right. */
import type { DomainRow, ShapeRules } from './shape.ts';

const narrowestName = 18;

/** Upper ends of the age groups in minutes, behind `T` for the sum. */
function headings({ buckets, tickMinutes, isLinear }: ShapeRules): readonly string[] {
  const heads = ['T'];
  let end = tickMinutes;
  for (let bucket = 1; bucket < buckets; bucket += 1) {
    heads.push(String(end));
    if (bucket + 1 < buckets) end += isLinear ? tickMinutes : end;
  }
  return [...heads, buckets > 1 ? `${end}+` : '0+'];
}

/** A name that is too long loses its beginning. */
function fitted(name: string, width: number): string {
  if (name.length <= width) return name.padStart(width);
  const mark = name.startsWith('.') ? '.+' : '+';
  return mark + name.slice(name.length - width + mark.length);
}

/** `rows` begin with the totals. */
export function shapeTable(rows: readonly DomainRow[], rules: ShapeRules, width: number): string {
  const heads = headings(rules);
  const totals = rows.find(({ name }) => name === 'TOTAL')?.counts ?? [];
  const columns = heads.map((head, at) => {
    const widest = Math.max(head.length, String(totals[at] ?? 0).length);
    return widest > 2 ? widest + 1 : 3;
  });
  const left = Math.max(narrowestName, width - columns.reduce((sum, column) => sum + column, 0));
  const line = (name: string, cells: readonly (string | number)[]): string =>
    `${fitted(name, left)}${cells.map((cell, at) => String(cell).padStart(columns[at] ?? 0)).join('')}\n`;
  return line('', heads) + rows.map(({ name, counts }) => line(name, counts)).join('');
}
