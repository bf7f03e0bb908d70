/** Events of the supervisor and of the `postfix` command. master(8) */
import type { Renderings } from '../event.ts';

export type MasterEvent =
  | { readonly kind: 'daemonStarted'; readonly version: string; readonly directory: string }
  | { readonly kind: 'reloaded'; readonly version: string; readonly directory: string }
  | { readonly kind: 'terminating'; readonly signal: number }
  | { readonly kind: 'processEnded'; readonly role: string; readonly processId: number; readonly status: string }
  | { readonly kind: 'throttled'; readonly role: string; readonly seconds: number }
  /** What the `postfix` command says: `starting the Postfix mail system` and the like. */
  | { readonly kind: 'script'; readonly text: string };

export const masterRenderings: Renderings<MasterEvent> = {
  daemonStarted: (event) => `daemon started -- version ${event.version}, configuration ${event.directory}`,
  reloaded: (event) => `reload -- version ${event.version}, configuration ${event.directory}`,
  terminating: (event) => `terminating on signal ${event.signal}`,
  processEnded: (event) => `warning: process ${event.role} pid ${event.processId} ${event.status}`,
  throttled: (event) => `warning: ${event.role}: bad command startup -- throttling for ${event.seconds} s`,
  script: (event) => event.text,
};
