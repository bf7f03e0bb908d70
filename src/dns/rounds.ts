/**
 * A question to all the servers there are: in their order and in rounds, as resolver(3) does.
 *
 * Who is slow isn't forgotten when the next one is asked: the first good answer counts, whoever gives it.
 */
import { ask, type Exchange, type NameServer, type Question } from './exchange.ts';
import { isRefusal } from './rcodes.ts';

export interface Rounds {
  readonly servers: readonly NameServer[];
  /** Before the next server is asked. */
  readonly timeoutMs: number;
  /** Rounds through the servers. */
  readonly attempts: number;
  /** 16 random bits for the query id. */
  readonly randomId: () => number;
}

/** The best reply the servers give: an answer, or the last refusal. */
export async function askInRounds(question: Question, rounds: Rounds): Promise<Exchange> {
  const { servers, timeoutMs, attempts, randomId } = rounds;
  const answered = new AbortController();
  const { signal } = answered;
  const { promise: answer, resolve: accept } = Promise.withResolvers<Exchange>();
  let lateMs = timeoutMs * attempts * servers.length;
  let last: Exchange = { kind: 'silent' };

  const askNext = (server: NameServer): Promise<Exchange> => {
    const { promise, resolve } = Promise.withResolvers<Exchange>();
    const onLate = (): void => resolve({ kind: 'silent' });
    void ask(server, question, { timeoutMs, lateMs, onLate, signal }, randomId).then((heard) => {
      if (isAnswer(heard)) accept(heard);
      resolve(heard);
    });
    lateMs -= timeoutMs;
    return Promise.race([promise, answer]);
  };

  try {
    for (let round = 0; round < attempts; round++) {
      for (const server of servers) {
        const heard = await askNext(server);
        if (isAnswer(heard)) return heard;
        if (heard.kind !== 'silent' || last.kind === 'silent') last = heard;
      }
      // a server that answered, though not well, was there: another round would only repeat it
      if (last.kind !== 'silent') return last;
    }
    return last;
  } finally {
    answered.abort();
  }
}

function isAnswer(heard: Exchange): boolean {
  return heard.kind === 'reply' && !isRefusal(heard.rcode);
}
