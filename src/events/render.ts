/** The Postfix text of any event. */
import type { MailEvent } from './event.ts';
import { bounceRenderings } from './kinds/bounce.ts';
import { cleanupRenderings } from './kinds/cleanup.ts';
import { commandRenderings } from './kinds/command.ts';
import { deliveryRenderings } from './kinds/delivery.ts';
import { masterRenderings } from './kinds/master.ts';
import { pickupRenderings } from './kinds/pickup.ts';
import { postscreenRenderings } from './kinds/postscreen.ts';
import { programRenderings } from './kinds/program.ts';
import { qmgrRenderings } from './kinds/qmgr.ts';
import { smtpClientRenderings } from './kinds/smtp-client.ts';
import { smtpdRenderings } from './kinds/smtpd.ts';

type EventMap = { [E in MailEvent as E['kind']]: E };

const renderings: { readonly [K in keyof EventMap]: (event: EventMap[K]) => string } = {
  ...smtpdRenderings,
  ...postscreenRenderings,
  ...cleanupRenderings,
  ...qmgrRenderings,
  ...deliveryRenderings,
  ...smtpClientRenderings,
  ...bounceRenderings,
  ...pickupRenderings,
  ...masterRenderings,
  ...commandRenderings,
  ...programRenderings,
};

function renderAs<K extends keyof EventMap>(event: EventMap[K] & { readonly kind: K }): string {
  const render: (event: EventMap[K]) => string = renderings[event.kind];
  return render(event);
}

/** Text after the tag in the Postfix log; control characters become `?`. */
export function renderPostfixText(event: MailEvent): string {
  // oxlint-disable-next-line no-control-regex -- what must not reach a log file
  return renderAs(event).replace(/[\x00-\x1f\x7f]/g, '?');
}
