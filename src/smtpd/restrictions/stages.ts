/** Which groups of restriction lists a stage runs, delayed or not, and what an earlier stage leaves for it. SMTPD_ACCESS_README */
import type { Deferral, PolicyMemory, Stage } from '../policy.ts';
import type { Group, StageLists } from './stage-lists.ts';

/** `delays`: refusals wait for RCPT, VRFY or ETRN, which run the lists of the stages before them, too. smtpd_delay_reject */
export function groupsByStage(lists: StageLists, delays: boolean): Readonly<Record<Stage, readonly Group[]>> {
  const { connect, helo, mail, destination, data, endOfData, etrn } = lists;
  const atRecipient = delays ? [connect, helo, mail, destination] : [destination];
  return {
    connect: [connect],
    helo: [helo],
    mail: [mail],
    rcpt: atRecipient,
    vrfy: atRecipient,
    etrn: delays ? [connect, helo, etrn] : [etrn],
    data: [data],
    endOfData: [endOfData],
  };
}

/** The temporary refusal that an earlier stage has put off for this one; where refusals are delayed, none has. */
export function inheritedDeferral(stage: Stage, { connect, helo, mail }: PolicyMemory): Deferral | undefined {
  switch (stage) {
    case 'connect':
    case 'data':
    case 'endOfData':
      return undefined;
    case 'helo':
      return connect;
    case 'mail':
    case 'etrn':
      return helo ?? connect;
    case 'rcpt':
    case 'vrfy':
      return mail;
  }
}
