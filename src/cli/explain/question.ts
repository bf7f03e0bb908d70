/** A conversation that somebody asks about, and how it is held. */
import { isAsciiText, toInternal } from '#address';
import type { Rehearsal } from '#roles';
import { decisionOf } from './decision.ts';
import type { AskedQuestion } from './arguments.ts';
import type { Recorder } from './recorder.ts';
import type { RecipientReport, ReplyReport, Report, Verdict, WayReport } from './report.ts';
import { wayReport } from './way-report.ts';

export interface Question extends AskedQuestion {
  /** Content as it goes over the wire, with its end mark. */
  readonly message: Buffer;
}

type Dialogue = Parameters<Parameters<Rehearsal['converse']>[1]>[1];
type Wire = NonNullable<Parameters<Parameters<Rehearsal['converse']>[1]>[0]>;

/** A recipient, and at which stage what became of it was settled. */
interface Settled {
  readonly recipient: string;
  stage: number;
  reply: ReplyReport | undefined;
}

function replyReport(reply: Wire | undefined): ReplyReport | undefined {
  if (reply === undefined) return undefined;
  const { code, lines } = reply;
  return { code, dsn: /^[245]\.\d{1,3}\.\d{1,3}(?= |$)/.exec(lines[0] ?? '')?.[0] ?? '', lines };
}

const isRefusal = (reply: ReplyReport | undefined): boolean => reply === undefined || reply.code >= 400;

/** Asks the recipients' server about each of them, as a client would, until nothing is left to ask. */
async function converse(
  { helo, sender, recipients, message }: Question,
  greeting: Wire | undefined,
  dialogue: Dialogue,
  recorder: Recorder,
): Promise<readonly Settled[]> {
  const settled: Settled[] = recipients.map((recipient) => ({ recipient, stage: 0, reply: undefined }));
  /** The reply settles all that are given, when it refuses. */
  const settle = (which: readonly Settled[], wire: Wire | undefined): boolean => {
    const reply = replyReport(wire);
    recorder.answer(reply);
    for (const one of which) {
      one.stage = recorder.stages.length - 1;
      one.reply = reply;
    }
    return isRefusal(reply);
  };
  const say = (line: string): Promise<Wire | undefined> => {
    recorder.begin(line);
    return dialogue.say(line);
  };
  if (settle(settled, greeting)) return settled;
  if (settle(settled, await say(`EHLO ${helo}`))) return settled;
  const smtputf8 = isAsciiText(sender + recipients.join('')) ? '' : ' SMTPUTF8';
  if (settle(settled, await say(`MAIL FROM:<${sender}>${smtputf8}`))) return settled;
  const accepted: Settled[] = [];
  for (const one of settled) {
    if (!settle([one], await say(`RCPT TO:<${one.recipient}>`))) accepted.push(one);
  }
  if (accepted.length === 0) return settled;
  recorder.begin('DATA');
  const replyToData = await dialogue.say('DATA');
  if (isRefusal(replyReport(replyToData))) {
    settle(accepted, replyToData);
    return settled;
  }
  recorder.answer(replyReport(replyToData));
  recorder.begin('END-OF-MESSAGE');
  const replyToContent = await dialogue.sayContent(message);
  if (isRefusal(replyReport(replyToContent))) settle(accepted, replyToContent);
  else recorder.answer(replyReport(replyToContent));
  return settled;
}

/** What comes of a question: each step, the verdicts, the ways of what is accepted. */
export async function explain(
  rehearsal: Rehearsal,
  recorder: Recorder,
  question: Question,
  notes: () => readonly string[],
): Promise<Report> {
  const { service, configuration } = rehearsal;
  let client = { name: 'unknown', reverseName: 'unknown' };
  let settled: readonly Settled[] = [];
  recorder.reset();
  await rehearsal.converse(
    {
      address: question.client,
      name: question.name,
      reverseName: question.reverseName,
      port: '25252',
      serverAddress: '',
      serverPort: '',
      isEncrypted: question.tls,
      login: question.login,
    },
    async (greeting, dialogue, names) => {
      client = { name: names.name, reverseName: names.reverseName };
      settled = await converse(question, greeting, dialogue, recorder);
    },
  );
  const recipients: RecipientReport[] = [];
  for (const one of settled) recipients.push(await recipientReport(one, { rehearsal, recorder, question }));
  return {
    configuration: configuration.directory,
    service: { name: `${service.name}/${service.type}`, origin: service.origin },
    client: { address: question.client, ...client, login: question.login, tls: question.tls },
    helo: question.helo,
    sender: question.sender,
    stages: recorder.stages,
    recipients,
    notes: notes(),
  };
}

async function recipientReport(
  { recipient, stage, reply }: Settled,
  { rehearsal, recorder, question }: { rehearsal: Rehearsal; recorder: Recorder; question: Question },
): Promise<RecipientReport> {
  const made = (verdict: Verdict): Pick<RecipientReport, 'recipient' | 'verdict' | 'decidedBy'> => {
    const decidedBy = decisionOf(recorder.stages, stage, verdict);
    return { recipient, verdict, ...(decidedBy === undefined ? {} : { decidedBy }) };
  };
  if (reply === undefined) return made('hangup');
  if (isRefusal(reply)) return { ...made(reply.code >= 500 ? 'reject' : 'defer'), reply };
  const way = await wayOf(recipient, { rehearsal, recorder, question });
  const verdict = way.queue === 'discarded' ? 'discard' : way.queue === 'hold' ? 'hold' : 'accept';
  return { ...made(verdict), reply, way };
}

async function wayOf(
  recipient: string,
  { rehearsal, recorder, question }: { rehearsal: Rehearsal; recorder: Recorder; question: Question },
): Promise<WayReport> {
  const actions = [...recorder.actions];
  recorder.beginWay();
  const way = await rehearsal.wayOf(toInternal(question.sender), toInternal(recipient), actions);
  return wayReport(way, recorder.way);
}
