/** Stored content in the form that mailboxes and commands want it; made by whoever writes it. local(8), virtual(8), pipe(8) */
import type { MessageContent } from '#message';
import { slices } from './deliverer-content.ts';
import { MailboxText, type TextShape } from './mailbox-text.ts';

export interface CopyShape extends TextShape {
  /** With LF line ends. */
  readonly top: string;
  readonly bottom: string;
}

/** A message as it is stored, and what is to be made of it by whoever writes it. */
export interface MailboxCopy {
  readonly shape: CopyShape;
  readonly content: ReturnType<MessageContent['chunks']>;
}

/** For requests that bring nothing to write. */
export const emptyCopy: MailboxCopy = {
  shape: { top: '', bottom: '', quotesFrom: false, stuffsDots: false, lineEnd: '\n' },
  content: [],
};

/** The copy in pieces; a small message comes as one. */
export async function* shapedCopy({ shape, content }: MailboxCopy): AsyncGenerator<Buffer> {
  const { top, bottom, lineEnd } = shape;
  const text = new MailboxText(shape);
  const own = (fields: string): string => Buffer.from(fields.replaceAll('\n', lineEnd)).toString('latin1');
  let held = own(top);
  let isTop = true;
  for await (const chunk of content) {
    for (const slice of slices(chunk)) {
      const piece = text.push(slice);
      if (!isTop) yield Buffer.from(held, 'latin1');
      held = isTop ? held + piece : piece;
      isTop = false;
    }
  }
  yield Buffer.from(`${held}${text.end()}${own(bottom)}`, 'latin1');
}
