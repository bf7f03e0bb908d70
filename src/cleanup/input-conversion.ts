/** 8-bit content becomes 7-bit on its way in, so that what signs it sees its last form. postconf(5) force_mime_input_conversion */
import { encodeQuotedPrintable, type MimeStructure } from '#message';
import type { CleanupSettings } from './settings.ts';

type ConversionSettings = Pick<CleanupSettings, 'convertsTo7bit'>;

/** Whether a field gives way to the one that is made at the end of its header section. */
export function isReplacedEncoding(structure: MimeStructure, settings: ConversionSettings, name: string): boolean {
  if (!settings.convertsTo7bit || structure.encodingFor7bit === undefined) return false;
  return name.toLowerCase() === 'content-transfer-encoding';
}

/** The field that tells of the conversion; undefined where there is none. */
export function encodingField(structure: MimeStructure, settings: ConversionSettings): string | undefined {
  const encoding = settings.convertsTo7bit ? structure.encodingFor7bit : undefined;
  return encoding === undefined ? undefined : `Content-Transfer-Encoding: ${encoding}`;
}

/** A line of a converted body, as lines of their own; what `endsLine` says of it holds for the last. */
export function convertedLines(line: Buffer, endsLine: boolean): readonly Buffer[] {
  const lines = encodeQuotedPrintable(line);
  const last = lines.at(-1);
  // the rest of a long line comes later
  return endsLine || last === undefined ? lines : [...lines.slice(0, -1), Buffer.concat([last, softBreak])];
}

const softBreak = Buffer.from('=');
