/** Events that wait until there is somebody whom they concern. */
import type { EventChannel, MailEvent } from '#events';

export interface HeldEvents {
  readonly channel: EventChannel;
  /** Lets go of those that wait, and of all that come. */
  readonly release: () => void;
}

export function holdEvents(target: EventChannel): HeldEvents {
  let waiting: MailEvent[] | undefined = [];
  return {
    channel: {
      emit: (event) => {
        if (waiting === undefined) target.emit(event);
        else waiting.push(event);
      },
    },
    release: () => {
      const events = waiting ?? [];
      waiting = undefined;
      for (const event of events) target.emit(event);
    },
  };
}
