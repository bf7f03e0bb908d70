/**
 * Acting as a receiving user: requests to a process that runs as that user, or to this one where it is that user.
 */
import type { Duplex } from 'node:stream';
import { longestTimerMs } from '#message';
import { DelivererProcess, type PoolMeans, type ProcessEvents, stuckResult } from './deliverer-process.ts';
import { type DelivererRequest, type DelivererResult, failedResult } from './deliverer-protocol.ts';
import { DelivererWork } from './deliverer-work.ts';
import { callsInThreads } from './file-calls.ts';
import { emptyCopy, type MailboxCopy, shapedCopy } from './shaped-copy.ts';

export interface DelivererPool {
  /** Whether root is among those it can act as. */
  readonly actsAsRoot: boolean;
  /** `copy`: what is to be written. Rejects when it can't be read. */
  run(uid: number, gid: number, request: DelivererRequest, copy?: MailboxCopy): Promise<DelivererResult>;
  close(): void;
}

/**
 * A pool that writes in this process: only the own uid is possible. What takes longer than `limitMs` is given up, and
 * taken back should the system ever return from it. daemon_timeout
 */
export function createLocalPool(uid: number, limitMs = longestTimerMs): DelivererPool {
  const work = new DelivererWork(callsInThreads);
  const run = async (request: DelivererRequest, copy = emptyCopy): Promise<DelivererResult> => {
    const stuck = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<DelivererResult>((resolve) => {
      timer = setTimeout(() => resolve(stuckResult(limitMs)), Math.min(limitMs, longestTimerMs));
      timer.unref();
    });
    const result = await Promise.race([work.run(request, shapedCopy(copy), stuck.signal), limit]);
    clearTimeout(timer);
    stuck.abort();
    return result;
  };
  return {
    actsAsRoot: uid === 0,
    run: (wanted, _gid, request, copy) =>
      wanted === uid
        ? run(request, copy)
        : Promise.resolve(failedResult('4.3.0', `delivery as user ${wanted} needs the system to be started as root`)),
    close: () => undefined,
  };
}

/** Each takes 20 MB. */
const mostResting = 20;

const usualMeans: PoolMeans = {
  watchdog: { limitMs: longestTimerMs, kill: () => undefined },
  now: () => performance.now(),
};

/**
 * A pool of processes, one a (uid, gid), and a second one while the first does not keep up with mail for maildirs: one
 * process makes its system calls one after the other. `connect` starts one and gives its stream. Those that rest take
 * memory: only the last few of them stay.
 */
export function createProcessPool(
  connect: (uid: number, gid: number) => Promise<Duplex>,
  means: Partial<PoolMeans> = {},
): DelivererPool {
  const processes = new Map<string, DelivererProcess>();
  /** The one that has rested longest first. */
  const resting = new Set<DelivererProcess>();

  function open(key: string, uid: number, gid: number): DelivererProcess {
    const events: ProcessEvents = {
      onIdle: () => {
        if (processes.get(key) !== opened) return;
        resting.add(opened);
        const [first] = resting;
        if (resting.size > mostResting) first?.retire();
      },
      onEnd: () => {
        resting.delete(opened);
        if (processes.get(key) === opened) processes.delete(key);
      },
    };
    const opened: DelivererProcess = new DelivererProcess(connect(uid, gid), events, { ...usualMeans, ...means });
    processes.set(key, opened);
    return opened;
  }

  /** The second is a help, and no reason to defer mail when the system has no process to give. */
  function openSecond(first: DelivererProcess, key: string, uid: number, gid: number): void {
    first.countAnew();
    open(key, uid, gid);
  }

  /** Mailbox files stay with the first, where who writes to one waits for the others. Maildirs have no such turns. */
  function choose(uid: number, gid: number, kind: DelivererRequest['kind']): DelivererProcess {
    const key = `${uid}:${gid}`;
    const first = processes.get(key) ?? open(key, uid, gid);
    if (kind !== 'maildir' || !first.hasMany) return first;
    const secondKey = `${key}/second`;
    const second = processes.get(secondKey);
    if (second === undefined && first.isBehind) openSecond(first, secondKey, uid, gid);
    return second?.isConnected === true && second.working < first.working ? second : first;
  }

  return {
    actsAsRoot: true,
    run(uid, gid, request, copy) {
      const process = choose(uid, gid, request.kind);
      resting.delete(process);
      return process.run(request, copy);
    },
    close() {
      for (const process of processes.values()) process.close();
    },
  };
}
