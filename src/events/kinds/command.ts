/** Events of command. */
import type { Renderings } from '../event.ts';

export type CommandEvent = { readonly kind: 'commandPlaceholder' };

export const commandRenderings: Renderings<CommandEvent> = { commandPlaceholder: () => '' };
