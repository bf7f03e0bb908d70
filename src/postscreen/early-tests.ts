/**
 * Tests before the greeting: who speaks before its turn, and what DNS lists say. Both go on at the same time.
 * postconf(5) postscreen_greet_wait, postscreen_greet_action, postscreen_dnsbl_action
 */
import { escapedText } from '#smtp';
import type { DnsblInquiry } from './dnsbl.ts';
import type { ScreeningSession } from './session.ts';

/** How much of early input is counted, and how much is shown. */
const maxPregreetBytes = 1023;
const maxShown = 100;

/** Runs the tests that are due; afterwards the session may be over. */
export async function runEarlyTests(session: ScreeningSession): Promise<void> {
  const { results, settings, dnsbl, endpoints } = session;
  if (!results.isDue('pregreet') && !results.isDue('dnsbl')) return;
  const inquiry = results.isDue('dnsbl') ? dnsbl.ask(endpoints.client.address) : undefined;
  if (results.isDue('pregreet')) session.stream.write(`220-${settings.teaser}\r\n`);
  await waitForClient(session, inquiry);
  if (session.isOver) return;
  if (inquiry !== undefined) await judgeStanding(session, inquiry);
  results.pass('pregreet', session.nowSeconds + settings.greetTtlSeconds);
}

async function waitForClient(session: ScreeningSession, inquiry: DnsblInquiry | undefined): Promise<void> {
  const { results, settings, stream } = session;
  const startedAt = session.now;
  const deadlineAt = startedAt + session.effectiveMs(settings.greetWaitMs);
  const wake = (): void => stream.wake();
  if (inquiry !== undefined) void inquiry.done.then(wake);
  while (!isDecided(session, inquiry)) {
    const input = results.isDue('pregreet') ? 'with' : 'without';
    switch (await stream.wait(deadlineAt - session.now, input)) {
      case 'timeout':
        stream.hold();
        return;
      case 'closed':
        return session.hangUp('before', startedAt);
      case 'input':
        stream.hold();
        await onEarlyInput(session, startedAt);
        if (session.isOver) return;
        break;
      case 'woken':
        break;
    }
  }
  stream.hold();
}

/** Whether waiting longer would tell nothing that matters. */
function isDecided({ results, settings }: ScreeningSession, inquiry: DnsblInquiry | undefined): boolean {
  const { dnsblAllowThreshold } = settings;
  if (inquiry !== undefined && !inquiry.isDone) return false;
  if (!results.isDue('pregreet')) return true;
  return inquiry !== undefined && dnsblAllowThreshold < 0 && inquiry.standing.score <= dnsblAllowThreshold;
}

async function onEarlyInput(session: ScreeningSession, startedAt: number): Promise<void> {
  const { results, settings, client, events, stream } = session;
  const bytes = stream.peek().subarray(0, maxPregreetBytes);
  events.emit({
    kind: 'pregreet',
    client,
    bytes: bytes.length,
    afterMs: session.now - startedAt,
    delayDigits: settings.delayDigits,
    text: escapedText(bytes.subarray(0, maxShown)).slice(0, maxShown),
  });
  results.fail('pregreet');
  session.skipsGreeting = settings.greetAction === 'enforce';
  await session.punish(settings.greetAction, '5.5.1 Protocol error');
}

async function judgeStanding(session: ScreeningSession, { standing }: DnsblInquiry): Promise<void> {
  const { results, settings, client, events, endpoints } = session;
  const { score, ttlSeconds, worstList } = standing;
  const { dnsblAllowThreshold } = settings;
  const expiresSeconds = session.nowSeconds + ttlSeconds;
  if (score >= settings.dnsblThreshold) {
    events.emit({ kind: 'dnsblRank', client, rank: score });
    results.fail('dnsbl');
    const { address } = endpoints.client;
    await session.punish(
      settings.dnsblAction,
      `5.7.1 Service unavailable; client [${address}] blocked using ${worstList}`,
    );
  } else if (dnsblAllowThreshold < 0 && score <= dnsblAllowThreshold && !results.failed) {
    results.passAll(expiresSeconds);
  } else results.pass('dnsbl', expiresSeconds);
}
