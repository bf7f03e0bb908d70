/** The health of the program: warnings, configuration trouble, bugs. */
import { thrownText } from '#native';
import type { Renderings } from '../event.ts';

export type ProgramEvent =
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'error'; readonly text: string }
  | { readonly kind: 'fatal'; readonly text: string }
  /** A bug or a broken machine, with its stack. */
  | { readonly kind: 'panic'; readonly text: string; readonly stack: string };

/** Of what was thrown. `doing`: what it kept from being done. */
export function panicOf(error: unknown, doing = ''): ProgramEvent {
  const reason = thrownText(error);
  return { kind: 'panic', text: `${doing}${reason}`, stack: error instanceof Error ? (error.stack ?? '') : '' };
}

export const programRenderings: Renderings<ProgramEvent> = {
  note: (event) => event.text,
  warning: (event) => `warning: ${event.text}`,
  error: (event) => `error: ${event.text}`,
  fatal: (event) => `fatal: ${event.text}`,
  panic: (event) => `panic: ${event.text}: ${event.stack.replaceAll('\n', ' | ')}`,
};
