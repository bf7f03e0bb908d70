/** The health of the program: warnings, configuration trouble, bugs. */
import type { Renderings } from '../event.ts';

export type ProgramEvent =
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'fatal'; readonly text: string }
  /** A bug or a broken machine, with its stack. */
  | { readonly kind: 'panic'; readonly text: string; readonly stack: string };

export const programRenderings: Renderings<ProgramEvent> = {
  note: (event) => event.text,
  warning: (event) => `warning: ${event.text}`,
  error: (event) => `error: ${event.text}`,
  fatal: (event) => `fatal: ${event.text}`,
  panic: (event) => `panic: ${event.text}: ${event.stack.replaceAll('\n', ' | ')}`,
};
